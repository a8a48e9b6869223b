import { flagOnStdout } from "../../build/plan/plan-outputs.js";
import { pullImage } from "../../build/pull-image.js";
import type { ExitCode } from "../../errors.js";
import { parseSave } from "../flags/output-values.js";
import { checkStdoutTakesArchive } from "../process/stdout-result.js";
import { type ShownValues, showRun } from "../shown-run.js";

export interface PullArguments extends ShownValues {
	readonly image: string;
	readonly on?: readonly string[];
	readonly save?: readonly string[];
	readonly load?: boolean;
}

/** `rbuild pull IMAGE`: brings an image of the box here. */
export async function runPull(values: PullArguments): Promise<ExitCode | 0> {
	const { image, on, load } = values;
	const save = values.save === undefined ? {} : { save: values.save.map(parseSave) };
	const isOnStdout = flagOnStdout(save) !== undefined;
	if (isOnStdout) checkStdoutTakesArchive("--save");
	const options = {
		image,
		...(on === undefined ? {} : { on }),
		...save,
		...(load === undefined ? {} : { load }),
	};
	return showRun(values, "Pulling", async ({ mode, surroundings, run }) => {
		const { imageId } = await pullImage(options, surroundings, run);
		if (mode === "quiet" && !isOnStdout) process.stdout.write(`${imageId}\n`);
		return 0;
	});
}
