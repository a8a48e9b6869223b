import { flagOnStdout } from "../../build/plan/plan-outputs.js";
import { pullImage } from "../../build/pull-image.js";
import type { ExitCode } from "../../errors.js";
import type { BuildEvent } from "../../events.js";
import { chooseProgressMode, type ProgressMode } from "../../render/progress-mode.js";
import { createRenderer } from "../../render/renderer.js";
import { reportFailure } from "../failures.js";
import { parseSave } from "../flags/output-values.js";
import { onInterrupt } from "../process/interrupts.js";
import { processSurroundings } from "../process/process-environment.js";
import { processScreen } from "../process/screen.js";
import { checkStdoutTakesArchive } from "../process/stdout-result.js";
import { terminalPrompt } from "../process/terminal-prompt.js";
import { collectYoungGarbage } from "../process/young-garbage.js";

export interface PullArguments {
	readonly image: string;
	readonly on?: readonly string[];
	readonly save?: string;
	readonly load?: boolean;
	readonly progress: ProgressMode;
	readonly quiet?: boolean;
	readonly verbose?: boolean;
	readonly color?: boolean;
	readonly "no-color"?: boolean;
	readonly "ssh-config"?: string;
	readonly "ssh-client"?: string;
	readonly debug?: boolean;
}

/** `rbuild pull IMAGE`: brings an image of the box here. */
export async function runPull(values: PullArguments): Promise<ExitCode | 0> {
	const { image, quiet = false, verbose, load } = values;
	const save = values.save === undefined ? {} : { save: parseSave(values.save) };
	const isOnStdout = flagOnStdout(save) !== undefined;
	if (isOnStdout) checkStdoutTakesArchive("--save");
	const screen = processScreen(values["no-color"] ? false : values.color);
	const asked = { requested: values.progress, quiet, isTTY: screen.isTTY, env: process.env };
	const mode = chooseProgressMode(asked);
	const renderer = await createRenderer(mode, screen, {
		verbose,
		activity: "Pulling",
	});
	using _garbage = collectYoungGarbage();
	using interrupts = onInterrupt(() => renderer.close());
	try {
		const options = {
			image,
			...(values.on === undefined ? {} : { on: values.on }),
			...save,
			...(load === undefined ? {} : { load }),
		};
		const emit = (event: BuildEvent) => renderer.handle(event);
		const run = { emit, signal: interrupts.signal };
		const prompt = terminalPrompt(() => renderer.pause?.());
		const surroundings = processSurroundings(values["ssh-config"], prompt, values["ssh-client"]);
		const report = await pullImage(options, surroundings, run);
		if (mode === "quiet" && !isOnStdout) process.stdout.write(`${report.imageId}\n`);
		return 0;
	} catch (error) {
		return reportFailure(error, renderer, values.debug);
	} finally {
		renderer.close();
	}
}
