import { randomBytes } from "node:crypto";
import { newSessionId, openSession, type SessionOptions } from "../../buildkit/session.js";
import { cancelBuild } from "../../engine/build-request.js";
import type { Engine } from "../../engine/engine.js";
import { BuildFailedError, ConnectionError } from "../../errors.js";
import type { Run } from "../../events.js";
import { interrupted } from "../../interruption.js";
import { together } from "../../together.js";

/**
 * How long a build that is not wanted any more may take to end on the daemon, in milliseconds. An image that is
 * being stored gets its names yet, and would take them from the build that follows.
 */
export const STOP_TIMEOUT = 3_000;

/** What POST /build needs to be told of the session and of how the build can be cancelled. */
export interface BuildIds {
	readonly buildId: string;
	readonly sessionId?: string;
}

/** A run of POST /build, whose signal is aborted when the end of the build is not waited for any more. */
export interface BuildRun extends Run {
	/** Aborted when the build is not wanted any more: nothing is sent for it from then on. */
	readonly sending: AbortSignal;
}

/**
 * Runs a build of BuildKit's that needs nothing of this side. If the run is aborted, the build is cancelled and
 * waited for, for some seconds.
 */
export async function buildAlone<Result>(
	engine: Engine,
	run: Run,
	build: (ids: BuildIds, run: BuildRun) => Promise<Result>,
): Promise<Result> {
	const sending = run.signal;
	const buildId = randomBytes(16).toString("hex");
	const tooLate = new AbortController();
	let timer: NodeJS.Timeout | undefined;
	const cancel = () => {
		const giveUp = () => tooLate.abort(sending.reason);
		timer = setTimeout(giveUp, STOP_TIMEOUT);
		cancelBuild(engine, buildId, tooLate.signal).catch(giveUp);
	};
	try {
		sending.throwIfAborted();
		const work = () => build({ buildId }, { ...run, signal: tooLate.signal, sending });
		const result = await whenAborted(sending, cancel, work);
		sending.throwIfAborted();
		return result;
	} catch (error) {
		throw sending.aborted ? interrupted(sending) : error;
	} finally {
		clearTimeout(timer);
	}
}

/** Runs POST /build beside a session that serves it; cancels the build if the run is aborted. */
export function buildInSession<Result>(
	engine: Engine,
	options: Omit<SessionOptions, "id">,
	run: Run,
	build: (ids: BuildIds, run: BuildRun) => Promise<Result>,
): Promise<Result> {
	return withSession(engine, options, run, (sessionId, run) =>
		buildAlone(engine, run, (ids, run) => build({ ...ids, sessionId }, run)),
	);
}

/**
 * Does some work beside a session of BuildKit's that serves it. Where one of the two fails, the other is
 * stopped and waited for.
 *
 * @param work is given a run that is aborted then, too
 * @throws ConnectionError where a build fails whose session was lost before; what the work throws; what
 * openSession() throws
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
	let isLost = false;
	const watch = async () => {
		await (await opening).closed;
		isLost = !both.signal.aborted;
	};
	watch().catch(() => {});
	try {
		const [, result] = await together(failed, [opening, work(sessionId, both)]);
		return result;
	} catch (error) {
		throw isLost && error instanceof BuildFailedError ? sessionLost(engine, error) : error;
	} finally {
		await opening.then(
			(session) => session[Symbol.asyncDispose](),
			() => {},
		);
	}
}

/** Over tcp, each stream is a connection of its own; the daemon only tells in its words what it missed. */
function sessionLost({ transport }: Engine, cause: BuildFailedError): ConnectionError {
	const { target } = transport;
	return new ConnectionError("lost", `lost the session with ${target}: ${cause.message}`, {
		cause,
		hint: "check the network and run it again: steps that were done stay in the box's cache",
	});
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
