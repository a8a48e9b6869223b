import type { Surroundings } from "../build/planned-run.js";
import type { ExitCode } from "../errors.js";
import type { BuildEvent, Emit, Run } from "../events.js";
import {
	chooseProgressMode,
	type ProgressMode,
	type ProgressWish,
	type RenderMode,
	unknownProgress,
} from "../render/progress-mode.js";
import { createRenderer, type Renderer } from "../render/renderer.js";
import type { Screen } from "../render/screen.js";
import { reportFailure } from "./failures.js";
import { onInterrupt } from "./process/interrupts.js";
import { processSurroundings, type SshValues } from "./process/process-environment.js";
import { processScreen } from "./process/screen.js";
import { terminalPrompt } from "./process/terminal-prompt.js";
import { collectYoungGarbage } from "./process/young-garbage.js";

/** What the flags say of a run whose progress is shown. */
export interface ShownValues extends SshValues {
	readonly progress: ProgressMode;
	readonly quiet?: boolean;
	readonly verbose?: boolean;
	readonly color?: boolean;
	readonly "no-color"?: boolean;
	readonly debug?: boolean;
}

/** What it has of this process. */
interface Shown {
	readonly mode: RenderMode;
	readonly screen: Screen;
	readonly renderer: Renderer;
	readonly surroundings: Surroundings;
	readonly run: Run;
}

/**
 * Does the work of a command while its progress is shown, and shows what it fails with.
 * @param activity as RenderOptions has it
 */
export async function showRun(
	values: ShownValues,
	activity: string | undefined,
	work: (shown: Shown) => Promise<ExitCode | 0>,
): Promise<ExitCode | 0> {
	const { progress: requested, quiet = false, verbose } = values;
	const screen = processScreen(values["no-color"] ? false : values.color);
	const wish = { requested, quiet, isTTY: screen.isTTY, env: process.env };
	const mode = chooseProgressMode(wish);
	const renderer = await createRenderer(mode, screen, { verbose, activity });
	using _garbage = collectYoungGarbage();
	using interrupts = onInterrupt(() => renderer.close());
	try {
		const surroundings = processSurroundings(
			values,
			terminalPrompt(() => renderer.pause?.()),
		);
		const run = {
			emit: (event: BuildEvent) => renderer.handle(event),
			signal: interrupts.signal,
			tellSentFiles: mode === "json" || (verbose === true && mode !== "quiet" && mode !== "none"),
		};
		warnOfProgress(wish, run.emit);
		return await work({ mode, screen, renderer, surroundings, run });
	} catch (error) {
		return reportFailure(error, renderer, values.debug);
	} finally {
		renderer.close();
	}
}

function warnOfProgress(wish: ProgressWish, emit: Emit): void {
	const value = unknownProgress(wish);
	if (value === undefined) return;
	emit({
		type: "warning",
		message: `BUILDKIT_PROGRESS=${value} does not count: rbuild has no such --progress`,
		hint: "set it to auto, plain, tty, quiet or none; --progress json is for programs",
	});
}
