import type { Engine } from "../engine/engine.js";
import { UsageError } from "../errors.js";
import type { Run } from "../events.js";
import { registryCredentials } from "../image/credentials/registry-credentials.js";
import { askFrontend, type FrontendAnswer } from "./frontend-answer.js";
import { withOpenBuild } from "./open-build.js";
import type { FrontendCall } from "./plan/build-plan.js";
import type { BuildOptions } from "./plan/options.js";
import { isDelivered } from "./plan/plan-outputs.js";
import type { Surroundings } from "./planned-run.js";

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
	return withOpenBuild(options, surroundings, caller, (open) => {
		const { context, box, run } = open;
		const credentials = registryCredentials(environment, run);
		const work = (engine: Engine) =>
			askFrontend(call, open, engine, { environment, credentials }, run);
		return box.keep(work, context.kind === "archive" && context.once);
	});
}

function refuseResults(options: BuildOptions): void {
	if (!isDelivered(options) && !options.outputs?.length) return;
	throw new UsageError("--check and --call build nothing to push, save, load or export", {
		hint: "leave one of them out",
	});
}
