import { readFile, rm } from "node:fs/promises";
import { GENERATION_BYTES } from "../context/index-part.js";
import { replaceCacheFile } from "../image/cache/cache-file.js";

/**
 * The generation of an earlier build that took nothing of the context: under it, the daemon may have files of
 * named contexts. It is no longer there then: should this build send something and end before it has an index,
 * nobody would know what the daemon has under it.
 */
export async function takeGeneration(path: string): Promise<Uint8Array | undefined> {
	try {
		const generation = await readFile(path);
		await rm(path);
		return generation.length === GENERATION_BYTES ? generation : undefined;
	} catch {
		return undefined;
	}
}

/** For the next build, of a build that took nothing of the context either. Never fails. */
export async function keepGeneration(path: string, generation: Uint8Array): Promise<void> {
	await replaceCacheFile(path, generation).catch(() => {});
}
