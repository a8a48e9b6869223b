import picocolors from "picocolors";
import { dryRun } from "../../build/dry-run.js";
import type { BuildOptions } from "../../build/plan/options.js";
import type { BuildEvent, Run } from "../../events.js";
import { dryRunLines } from "../../render/dry-run-report.js";
import type { RenderMode } from "../../render/progress-mode.js";
import type { Screen } from "../../render/screen.js";
import { processSurroundings, type SshValues } from "../process/process-environment.js";
import { stdoutWidth } from "../process/screen.js";

/**
 * `--dry-run`: prints what a build would do, with -q too: it is the result. In JSON it is the last event of the
 * progress.
 */
export async function runDryRun(
	options: BuildOptions,
	values: SshValues,
	{ mode, screen }: { readonly mode: RenderMode; readonly screen: Screen },
	run: Run,
): Promise<0> {
	const colors = picocolors.createColors(screen.color && process.stdout.isTTY);
	const emit = (event: BuildEvent) => {
		run.emit(event);
		if (event.type !== "dry-run" || mode === "json") return;
		const lines = dryRunLines(event.report, colors, stdoutWidth());
		process.stdout.write(`${lines.join("\n")}\n`);
	};
	// Nobody is asked for what would be written down, such as a host key.
	const surroundings = processSurroundings(values);
	await dryRun(options, surroundings, { ...run, emit });
	return 0;
}
