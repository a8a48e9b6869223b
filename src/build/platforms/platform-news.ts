import { ConnectionError, InterruptedError, RbuildError } from "../../errors.js";
import type { BuildEvent, Run } from "../../events.js";

/** A run that is about one platform of several, and says so. */
export function runFor(platform: string, run: Run): Run {
	// Many listen to it, and node warns of a signal with more than ten listeners.
	const signal = AbortSignal.any([run.signal]);
	return { ...run, signal, emit: (event) => run.emit(newsOf(platform, event)) };
}

/** The same step may run for several platforms, so that its id alone does not tell which one it is. */
function newsOf(platform: string, event: BuildEvent): BuildEvent {
	if (event.type === "step") return { ...event, platform, id: `${platform} ${event.id}` };
	if (event.type === "log") return { ...event, platform, stepId: `${platform} ${event.stepId}` };
	return { ...event, platform };
}

/** Says in an error which platform it is about, if it is about one: a lost connection ends all on a box. */
export function failureOf(platform: string, error: unknown): unknown {
	const isOfAll = error instanceof InterruptedError || error instanceof ConnectionError;
	if (error instanceof RbuildError && !isOfAll) error.message = `${platform}: ${error.message}`;
	return error;
}
