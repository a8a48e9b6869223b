import { GrpcError } from "../buildkit/grpc/grpc-status.js";
import type { Engine } from "../engine/engine.js";
import { type BuildFailedError, EngineError } from "../errors.js";
import type { Run } from "../events.js";
import { buildFailed } from "./output/build-output.js";
import type { DockerfileText, LineRange } from "./output/dockerfile-position.js";
import type { PlacedBuild } from "./placed-build.js";
import type { FrontendCall } from "./plan/build-plan.js";
import { requireBuilder } from "./plan/builder-needs.js";
import type { RunResources } from "./run-resources.js";
import { announce } from "./session/announcement.js";
import { type PreparedSolve, withControl } from "./session/control-session.js";
import { sessionServices } from "./session/session-services.js";

/** What a Dockerfile frontend says of a Dockerfile. */
export interface FrontendAnswer {
	/** For people. */
	readonly text: string;
	/** The same as JSON; its form is BuildKit's (frontend/subrequests). */
	readonly json: string;
	/** Whether there is nothing to complain about; of outline and targets, always. */
	readonly isFine: boolean;
	/** Why the Dockerfile could not be checked to its end. */
	readonly failure: BuildFailedError | undefined;
}

/** The names of BuildKit's subrequests (frontend/subrequests). */
const REQUEST_IDS = {
	check: "frontend.lint",
	outline: "frontend.outline",
	targets: "frontend.targets",
} as const satisfies Record<FrontendCall, string>;

/**
 * Asks a frontend about the Dockerfile of a build.
 *
 * @throws BuildFailedError, EngineError, ConnectionError, InterruptedError
 */
export async function askFrontend(
	call: FrontendCall,
	{ plan: planned, context, named }: Pick<PlacedBuild, "plan" | "context" | "named">,
	engine: Engine,
	{ environment, credentials }: Pick<RunResources, "environment" | "credentials">,
	run: Run,
): Promise<FrontendAnswer> {
	const plan = { ...planned, call };
	await requireBuilder(plan, engine, context, run.signal);
	const services = sessionServices(plan, credentials, environment);
	const announcement = await announce(context, await named.walked(), environment);
	const build = { engine, context, plan, announcement };
	const work = (given: PreparedSolve) => ask(given, call);
	return (await withControl(build, services, run, work)).result;
}

async function ask(
	{ control, request, dockerfile, signal }: PreparedSolve,
	call: FrontendCall,
): Promise<FrontendAnswer> {
	try {
		return await readAnswer(await control.ask(request, REQUEST_IDS[call], signal), dockerfile);
	} catch (error) {
		if (!(error instanceof GrpcError)) throw error;
		throw await buildFailed(error.message, undefined, dockerfile);
	}
}

async function readAnswer(
	metadata: Readonly<Record<string, Uint8Array>>,
	dockerfile: DockerfileText | undefined,
): Promise<FrontendAnswer> {
	const text = (name: string) => new TextDecoder().decode(metadata[name]);
	if (metadata["result.json"] === undefined && metadata["result.txt"] === undefined) {
		throw new EngineError("the Dockerfile frontend gave no result for --call", {
			hint: "it may be too old: look at the # syntax= line of the Dockerfile",
		});
	}
	return {
		text: text("result.txt"),
		json: text("result.json"),
		isFine: ["", "0"].includes(text("result.statuscode")),
		failure: await failureIn(text("result.json"), dockerfile),
	};
}

/** The answer to "check" has the error that ended it as its field "buildError" (frontend/subrequests/lint). */
interface CheckAnswer {
	readonly buildError?: {
		readonly message?: unknown;
		readonly location?: {
			readonly ranges?: readonly {
				readonly start?: { readonly line?: unknown };
				readonly end?: { readonly line?: unknown };
			}[];
		};
	};
}

async function failureIn(
	json: string,
	dockerfile: DockerfileText | undefined,
): Promise<BuildFailedError | undefined> {
	if (json === "") return undefined;
	let answer: CheckAnswer | null;
	try {
		answer = JSON.parse(json);
	} catch (cause) {
		throw new EngineError("the Dockerfile frontend answered with something that is not JSON", {
			cause,
		});
	}
	const error = answer?.buildError;
	if (typeof error?.message !== "string") return undefined;
	return buildFailed(error.message, undefined, dockerfile, linesOf(error));
}

/** Those of an instruction of several lines come one by one. */
function linesOf({ location }: NonNullable<CheckAnswer["buildError"]>): LineRange | undefined {
	const { ranges = [] } = location ?? {};
	const line = ranges[0]?.start?.line;
	const endLine = ranges.at(-1)?.end?.line;
	if (typeof line !== "number" || typeof endLine !== "number") return undefined;
	return { line, endLine };
}
