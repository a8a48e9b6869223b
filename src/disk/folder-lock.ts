import { mkdir, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** A temporary name (see unfinished-file.ts) that all rbuilds have in common. */
const NAME = ".rbuild-000000000000.tmp";

/** A lock that is held for so long is that of a process that was killed, in milliseconds. */
const LONGEST_HOLD = 30_000;

const PAUSE = 20;

/**
 * Keeps other rbuilds from changing what is in a folder, until it is disposed of: for changes of some
 * milliseconds.
 *
 * @param longestHold milliseconds, for a test
 * @throws NodeJS.ErrnoException
 */
export async function lockFolder(
	folder: string,
	longestHold = LONGEST_HOLD,
): Promise<AsyncDisposable> {
	const path = join(folder, NAME);
	for (;;) {
		try {
			await mkdir(path);
			return { [Symbol.asyncDispose]: () => rmdir(path).catch(() => {}) };
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		}
		const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
		// Or of one whose clock is wrong.
		if (Math.abs(Date.now() - mtimeMs) > longestHold) await rmdir(path).catch(() => {});
		await wait(PAUSE);
	}
}
