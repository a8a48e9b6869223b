import type { Control, SolveRequest } from "../../buildkit/control.js";
import { UnreadableStatusError } from "../../buildkit/grpc/grpc-client.js";
import { GrpcError } from "../../buildkit/grpc/grpc-status.js";
import { BuildTrace } from "../../buildkit/trace.js";
import { BuildFailedError } from "../../errors.js";
import type { Run } from "../../events.js";
import { buildFailed } from "../output/build-output.js";
import type { DockerfileText } from "../output/dockerfile-position.js";
import { STOP_TIMEOUT } from "./session-build.js";

/** How long the news of a build that is over may pause before no more of it is waited for, in ms. */
const LAST_NEWS_TIMEOUT = 1_500;

/**
 * Has BuildKit build and tells its news. If it is aborted, the daemon's end of the build is waited for, for some
 * seconds.
 *
 * @param dockerfile for the position of a failed step; absent where it is not on this side
 * @returns what the exporters say of the result
 * @throws BuildFailedError, EngineError, ConnectionError, InterruptedError
 */
export async function solve(
	control: Control,
	request: SolveRequest,
	dockerfile: DockerfileText | undefined,
	run: Run,
): Promise<Readonly<Record<string, string>>> {
	const trace = new BuildTrace(run.emit);
	let succeeded = false;
	try {
		const solving = control.solve(request, run.signal);
		const news = followNews(control, request.ref, trace, run.signal);
		try {
			const response = await solving;
			succeeded = true;
			return response;
		} finally {
			// The daemon sends the last of it beside its answer, and nothing if the build has never begun.
			await news.end();
		}
	} catch (error) {
		throw await explained(error, trace, dockerfile);
	} finally {
		trace.close(succeeded);
	}
}

async function explained(
	error: unknown,
	trace: BuildTrace,
	dockerfile: DockerfileText | undefined,
): Promise<unknown> {
	if (error instanceof GrpcError) {
		return buildFailed(error.message, trace.failedStep(error.message), dockerfile);
	}
	if (!(error instanceof UnreadableStatusError)) return error;
	const step = trace.lastFailedStep();
	if (step !== undefined) return buildFailed(step.error, step, dockerfile);
	return new BuildFailedError("the build failed, and the daemon's reason is too long to be read", {
		cause: error,
		hint: "it quotes the Dockerfile, which is long: --transfer tar gets it in another way",
	});
}

/** Tells the news as they come. A failure to read them is one of the connection or of the build itself. */
function followNews(control: Control, ref: string, trace: BuildTrace, signal: AbortSignal) {
	const unwanted = new AbortController();
	let hasBegun = false;
	let timer: NodeJS.Timeout | undefined;
	const read = async () => {
		for await (const report of control.status(ref, unwanted.signal)) {
			hasBegun = true;
			trace.add(report);
			if (!signal.aborted) timer?.refresh();
		}
	};
	const over = read().catch(() => {});
	return {
		/** Resolves when there is no more: with that, the build has ended (BuildKit solver, Job.Discard). */
		async end() {
			// The daemon looks for a build that has never begun for seconds.
			if (signal.aborted && !hasBegun) unwanted.abort();
			timer = setTimeout(() => unwanted.abort(), signal.aborted ? STOP_TIMEOUT : LAST_NEWS_TIMEOUT);
			await over;
			clearTimeout(timer);
		},
	};
}
