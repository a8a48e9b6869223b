import { fstatSync, readSync, statSync } from "node:fs";

const STDOUT = 1;

/**
 * Whether this process was started with its standard output closed (`>&-`): node has put the null device
 * there, open for reading as well, as `>/dev/null` is not. What is written to it is lost without an error.
 * A parent that opened the null device so itself cannot be told from it.
 */
export function isStdoutLost(): boolean {
	if (process.platform === "win32") return false;
	try {
		const { rdev } = fstatSync(STDOUT);
		if (rdev === 0 || rdev !== statSync("/dev/null").rdev) return false;
		readSync(STDOUT, Buffer.alloc(1));
		return true;
	} catch {
		return false;
	}
}
