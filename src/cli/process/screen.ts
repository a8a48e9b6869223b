import { shouldUseColor } from "../../render/progress-mode.js";
import type { Screen } from "../../render/screen.js";

/** The process's own terminal, or whatever its output goes to. */
export function processScreen(color: boolean | undefined): Screen {
	const { stdout, stderr } = process;
	return {
		stdout,
		stderr,
		isTTY: stderr.isTTY === true,
		columns: () => stderr.columns ?? 0,
		rows: () => stderr.rows ?? 0,
		color: shouldUseColor({ flag: color, isTTY: stderr.isTTY === true, env: process.env }),
		now: () => Date.now(),
	};
}

/** Cells of a line of the standard output; Infinity where it is no terminal, or one of unknown size (0). */
export function stdoutWidth(): number {
	const { isTTY, columns } = process.stdout;
	return (isTTY && columns) || Number.POSITIVE_INFINITY;
}
