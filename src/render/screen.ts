/** Where to print, and what is known of it. The command line fills it from the process, a test from memory. */
export interface Screen {
	/** Results only: what a script captures. */
	readonly stdout: NodeJS.WritableStream;
	/** Everything else: progress, warnings, the closing report, errors. */
	readonly stderr: NodeJS.WritableStream;
	/** Whether stderr is a terminal. */
	readonly isTTY: boolean;
	/** Size of the terminal now, in cells; asked again for every frame. 0 where it is not known. */
	columns(): number;
	rows(): number;
	readonly color: boolean;
	/** Milliseconds since 1970. */
	now(): number;
}

/** Cells of a line of stderr; Infinity where it is no terminal, or one of unknown size. */
export function stderrWidth(screen: Screen): number {
	return (screen.isTTY && screen.columns()) || Number.POSITIVE_INFINITY;
}
