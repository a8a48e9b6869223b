import { dirname } from "node:path";
import { makeFolder } from "./folder.js";
import { UnfinishedFile } from "./unfinished-file.js";

/**
 * Writes a file of the cache that others may read or write at the same time: it is there as a whole, or
 * as it was.
 *
 * @throws NodeJS.ErrnoException
 */
export async function replaceCacheFile(path: string, content: Uint8Array): Promise<void> {
	const folder = dirname(path);
	await makeFolder(folder, 0o700);
	await using file = await UnfinishedFile.create(folder, 0o600);
	await file.append(content);
	await file.commit(path);
}
