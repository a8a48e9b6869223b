import { GrpcError } from "../buildkit/grpc/grpc-status.js";
import type { Engine } from "../engine/engine.js";
import { type BuildFailedError, EngineError, UsageError } from "../errors.js";
import type { Run } from "../events.js";
import { registryCredentials } from "../image/credentials/registry-credentials.js";
import { withOpenBuild } from "./open-build.js";
import { buildFailed } from "./output/build-output.js";
import type { DockerfileText } from "./output/dockerfile-position.js";
import type { FrontendCall } from "./plan/build-plan.js";
import { requireBuilder } from "./plan/builder-needs.js";
import type { BuildOptions } from "./plan/options.js";
import { isDelivered } from "./plan/plan-outputs.js";
import type { Surroundings } from "./planned-run.js";
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
 * Asks about a Dockerfile where it would be built, and builds nothing.
 *
 * @throws RbuildError; UsageError also where the options ask for something to be made of the build
 */
export async function callFrontend(
	call: FrontendCall,
	options: BuildOptions,
	surroundings: Surroundings,
	caller: Run,
): Promise<FrontendAnswer> {
	refuseResults(options);
	const { environment } = surroundings;
	return withOpenBuild(options, surroundings, caller, async (open) => {
		const { context, named, box, engine, run } = open;
		const plan = { ...open.plan, call };
		await requireBuilder(plan, engine, context, run.signal);
		const credentials = registryCredentials(environment, run);
		const services = sessionServices(plan, credentials, environment);
		const announcement = await announce(context, await named.walked(), environment);
		const offer = { services, ...announcement };
		const work = (engine: Engine) =>
			withControl(engine, context, plan, offer, run, (given) => ask(given, call));
		const { result } = await box.keep(work, context.kind === "archive" && context.once);
		return result;
	});
}

function refuseResults(options: BuildOptions): void {
	if (!isDelivered(options) && !options.outputs?.length) return;
	throw new UsageError("--check and --call build nothing to push, save, load or export", {
		hint: "leave one of them out",
	});
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

/** The answer to "check" has the error that ended it as its field "buildError". */
async function failureIn(
	json: string,
	dockerfile: DockerfileText | undefined,
): Promise<BuildFailedError | undefined> {
	if (json === "") return undefined;
	let answer: { readonly buildError?: { readonly message?: unknown } } | null;
	try {
		answer = JSON.parse(json);
	} catch (cause) {
		throw new EngineError("the Dockerfile frontend answered with something that is not JSON", {
			cause,
		});
	}
	const message = answer?.buildError?.message;
	return typeof message === "string" ? buildFailed(message, undefined, dockerfile) : undefined;
}
