import { renameSync } from "node:fs";
import { rename } from "node:fs/promises";
import * as os from "node:os";
import { setTimeout as wait } from "node:timers/promises";

/** In milliseconds; about five seconds together. */
const PAUSES_MS = [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000, 1_000, 1_000];
/** For who blocks its thread, and can do without: 0.6 seconds. */
const SHORT_PAUSES_MS = PAUSES_MS.slice(0, 6);

interface System<Result> {
	readonly platform: NodeJS.Platform;
	rename(from: string, to: string): Result;
	wait(ms: number): Result;
}

/**
 * Renames a file or folder. On Windows, antivirus programs and indexers look at what is new, and it cannot be
 * renamed meanwhile: it is tried again for about five seconds (npm does so for a minute).
 *
 * @param system for a test to fake
 * @throws NodeJS.ErrnoException
 */
export async function renamePatiently(
	from: string,
	to: string,
	system: System<Promise<void>> = { platform: os.platform(), rename, wait },
): Promise<void> {
	for (const pause of PAUSES_MS) {
		try {
			return await system.rename(from, to);
		} catch (error) {
			if (!isInUse(error, system.platform)) throw error;
			await system.wait(pause);
		}
	}
	await system.rename(from, to);
}

/** The same, for at most 0.6 seconds. Blocks its thread. @throws NodeJS.ErrnoException */
export function renamePatientlySync(
	from: string,
	to: string,
	system: System<void> = { platform: os.platform(), rename: renameSync, wait: block },
): void {
	for (const pause of SHORT_PAUSES_MS) {
		try {
			system.rename(from, to);
			return;
		} catch (error) {
			if (!isInUse(error, system.platform)) throw error;
			system.wait(pause);
		}
	}
	system.rename(from, to);
}

/** Whether Windows may refuse something for now only, as somebody has the file open. */
export function isInUse(error: unknown, platform: NodeJS.Platform = os.platform()): boolean {
	const { code = "" } = error as NodeJS.ErrnoException;
	return platform === "win32" && ["EPERM", "EACCES", "EBUSY"].includes(code);
}

function block(ms: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
