import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, readKeptFile } from "../../cache-folder.js";
import { replaceCacheFile } from "../../disk/cache-file.js";
import type { Environment } from "../../environment.js";

/**
 * Names a folder to the daemon, for files that are announced by their own times: another place is another
 * project. The same place on another machine is another project too, as CI runners have the same few
 * folders.
 *
 * @param root absolute and without symlinks
 */
export async function placeKey(root: string, environment: Environment): Promise<string> {
	const machine = await machineId(environment);
	return createHash("sha256").update(`rbuild place\0${machine}\0${root}`).digest("hex");
}

/** Made at random where this user has none; a new one each time where it cannot be kept. */
async function machineId(environment: Environment): Promise<string> {
	const path = join(cacheFolder(environment), "machine-id");
	const known = String(await readKeptFile(path).catch(() => ""));
	if (/^[0-9a-f]{32}$/.test(known)) return known;
	const id = randomBytes(16).toString("hex");
	await replaceCacheFile(path, Buffer.from(id)).catch(() => {});
	return id;
}
