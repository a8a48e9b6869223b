import { randomBytes } from "node:crypto";
import { newSessionId, openSession, type SessionOptions } from "../../buildkit/session.js";
import { cancelBuild } from "../../engine/build-request.js";
import type { Engine } from "../../engine/engine.js";
import type { Run } from "../../events.js";
import { together } from "../../together.js";

/** How long the daemon may take to hear that a build is not wanted any more, in milliseconds. */
const CANCEL_TIMEOUT = 2_000;

/** What POST /build needs to be told of the session and of how the build can be cancelled. */
export interface BuildIds {
	readonly buildId: string;
	readonly sessionId?: string;
}

/** Runs a build of BuildKit's that needs nothing of this side; cancels it if the run is aborted. */
export function buildAlone<Result>(
	engine: Engine,
	run: Run,
	build: (ids: BuildIds, run: Run) => Promise<Result>,
): Promise<Result> {
	const buildId = randomBytes(16).toString("hex");
	const cancel = () => {
		cancelBuild(engine, buildId, AbortSignal.timeout(CANCEL_TIMEOUT)).catch(() => {});
	};
	return whenAborted(run.signal, cancel, () => build({ buildId }, run));
}

/** Runs POST /build beside a session that serves it; cancels the build if the run is aborted. */
export function buildInSession<Result>(
	engine: Engine,
	options: Omit<SessionOptions, "id">,
	run: Run,
	build: (ids: BuildIds, run: Run) => Promise<Result>,
): Promise<Result> {
	return withSession(engine, options, run, (sessionId, run) =>
		buildAlone(engine, run, (ids) => build({ ...ids, sessionId }, run)),
	);
}

/**
 * Does some work beside a session of BuildKit's that serves it. Where one of the two fails, the other is
 * stopped and waited for.
 *
 * @param work is given a run that is aborted then, too
 */
export async function withSession<Result>(
	engine: Engine,
	options: Omit<SessionOptions, "id">,
	run: Run,
	work: (sessionId: string, run: Run) => Promise<Result>,
): Promise<Result> {
	const sessionId = newSessionId();
	const failed = new AbortController();
	const both = { ...run, signal: AbortSignal.any([run.signal, failed.signal]) };
	// Both at once: on a long link each of them is a round trip.
	const opening = openSession(engine, { ...options, id: sessionId }, both);
	try {
		const [, result] = await together(failed, [opening, work(sessionId, both)]);
		return result;
	} finally {
		await opening.then(
			(session) => session[Symbol.asyncDispose](),
			() => {},
		);
	}
}

/** Does something if the signal is aborted before the work has ended. */
export async function whenAborted<Result>(
	signal: AbortSignal,
	action: () => void,
	work: () => Promise<Result>,
): Promise<Result> {
	signal.addEventListener("abort", action, { once: true });
	try {
		return await work();
	} finally {
		signal.removeEventListener("abort", action);
	}
}
