import { randomBytes } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../folder.js";

/**
 * Writes a file of the cache that others may read or write at the same time: it is there as a whole, or
 * as it was.
 *
 * @throws NodeJS.ErrnoException
 */
export async function replaceCacheFile(path: string, content: Uint8Array): Promise<void> {
	const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
	try {
		await makeFolder(dirname(path), 0o700);
		await writeFile(temporary, content, { mode: 0o600 });
		await rename(temporary, path);
	} catch (error) {
		await rm(temporary, { force: true }).catch(() => {});
		throw error;
	}
}
