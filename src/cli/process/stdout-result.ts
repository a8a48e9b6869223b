import { UsageError } from "../../errors.js";
import { isStdoutLost } from "./lost-stdout.js";

/**
 * For an archive on the standard output, which no terminal can show and which must not get lost.
 *
 * @param flag what put it there
 * @param alternative to a file, for a hint
 * @throws UsageError
 */
export function checkStdoutTakesArchive(flag: "--save" | "--output", alternative?: string): void {
	if (isStdoutLost()) {
		throw new UsageError(
			`${flag} - writes to the standard output, which is closed or leads nowhere`,
			{ hint: [`give ${flag} a file name`, ...(alternative ? [alternative] : [])].join(", or ") },
		);
	}
	if (!process.stdout.isTTY) return;
	const what = flag === "--save" ? "the image" : "a tar";
	throw new UsageError(`${flag} - would write ${what} to the terminal`, {
		hint: `redirect the standard output, or give ${flag} a file name`,
	});
}
