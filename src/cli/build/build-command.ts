import type { BuildOptions } from "../../build/plan/options.js";
import { flagOnStdout, givesImage, isDelivered } from "../../build/plan/plan-outputs.js";
import { platformsOf } from "../../build/plan/platform-list.js";
import { remoteBuild } from "../../build/remote-build.js";
import { type ExitCode, UsageError } from "../../errors.js";
import { type BuildFlagValues, buildOptions } from "../flags/build-flags.js";
import { parseCall } from "../flags/buildkit-values.js";
import { oldFlagNotes, oldVariableNotes } from "../flags/old-flags.js";
import { checkStdoutTakesArchive } from "../process/stdout-result.js";
import { type ShownValues, showRun } from "../shown-run.js";
import { metadataOf } from "./metadata.js";
import { checkResultFile, removeResultFile, writeResultFile } from "./result-file.js";

export type BuildArguments = BuildFlagValues &
	ShownValues & {
		readonly context: string;
		readonly iidfile?: string;
		readonly "metadata-file"?: string;
	};

/** `rbuild CONTEXT`: the build, on this process's terminal. */
export async function runBuild(values: BuildArguments): Promise<ExitCode | 0> {
	checkContext(values.context);
	const options = buildOptions(values.context, values);
	const call = parseCall(values);
	if (call !== undefined) checkCall(values);
	checkResults(options, values);
	return showRun(values, undefined, async ({ mode, screen, renderer, surroundings, run }) => {
		const { variables } = surroundings.environment;
		for (const message of [...oldFlagNotes(values), ...oldVariableNotes(variables)]) {
			renderer.handle({ type: "warning", message });
		}
		if (call !== undefined) {
			const { runCall } = await import("./call.js");
			return await runCall(call, options, surroundings, run);
		}
		if (values["dry-run"]) {
			const { runDryRun } = await import("./dry-run.js");
			return await runDryRun(options, values, { mode, screen }, run);
		}
		await checkResultFile(values.iidfile, "image.id");
		await checkResultFile(values["metadata-file"], "metadata.json");
		await removeResultFile(values.iidfile);
		const report = await remoteBuild(options, surroundings, run);
		await writeResultFile(values.iidfile, report.imageId ?? "");
		await writeResultFile(values["metadata-file"], metadataOf(report));
		return 0;
	});
}

function checkContext(context: string): void {
	if (context !== "") return;
	throw new UsageError("the build context argument is empty", {
		hint: 'name a directory, such as "."',
	});
}

/** What is asked for instead of a build leaves nothing for a file to be about. */
function checkCall(values: BuildArguments): void {
	const flag = (["iidfile", "metadata-file", "dry-run"] as const).find((name) => values[name]);
	if (flag === undefined) return;
	throw new UsageError(`--${flag} cannot be used with --check or --call, which build nothing`, {
		hint: "leave one of them out",
	});
}

function severalPlatforms({ platform }: BuildOptions): boolean {
	return platformsOf(platform, { variables: process.env }).length > 1;
}

/** An archive on the standard output needs it for itself, and no terminal can show it. */
function checkResults(options: BuildOptions, values: BuildArguments): void {
	const { iidfile, progress } = values;
	const quiet = values.quiet || progress === "quiet";
	const image = givesImage(options);
	if (iidfile !== undefined && !image) {
		throw new UsageError("--iidfile needs an image, and --output makes none", {
			hint: "leave one of them out",
		});
	}
	if (iidfile !== undefined && severalPlatforms(options) && !isDelivered(options)) {
		throw new UsageError("--iidfile for several platforms needs --push, --save or --load", {
			hint: "add one of them, such as --save type=oci,dest=FILE.tar",
		});
	}
	const flag = flagOnStdout(options);
	if (flag === undefined) return;
	if (quiet && image) {
		throw new UsageError(`${flag} - and -q both write to the standard output`, {
			hint: `give ${flag} a file name, or use --iidfile instead of -q`,
		});
	}
	checkStdoutTakesArchive(flag, "build for the cache alone: --output type=cacheonly");
}
