import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, isDigest } from "../manifest/digest.js";
import type { BlobCache } from "./blob-cache.js";
import { CacheFailure } from "./cache-failure.js";

/** A blob of the cache. */
interface CachedBlob {
	readonly digest: Digest;
	/** Bytes. */
	readonly size: number;
	/** Milliseconds since 1970. */
	readonly usedAt: number;
}

/** What another process may be about to read is younger than this, in milliseconds. */
const IN_USE = 60 * 60 * 1000;

/** A transfer that nobody has gone on with for so long was interrupted, in milliseconds. */
const ABANDONED = 24 * 60 * 60 * 1000;

/** All blobs, in no order; none where there is no cache. @throws CacheFailure */
export async function cachedBlobs(cache: BlobCache): Promise<readonly CachedBlob[]> {
	const blobs: CachedBlob[] = [];
	const root = join(cache.folder, "blobs", "sha256");
	for (const shard of await namesIn(root)) {
		for (const name of await namesIn(join(root, shard))) {
			const digest = `sha256:${name}`;
			if (!isDigest(digest) || !name.startsWith(shard)) continue;
			// Another process may remove it meanwhile.
			const stats = await stat(cache.path(digest)).catch(() => undefined);
			if (stats !== undefined) blobs.push({ digest, size: stats.size, usedAt: stats.mtimeMs });
		}
	}
	return blobs;
}

/** What a pruning did. */
interface Pruned {
	readonly blobs: number;
	readonly bytes: number;
	/** Bytes that are left. */
	readonly kept: number;
}

/**
 * Removes blobs, those first that were not used for the longest time, until no more than `limit` bytes are
 * left, and what interrupted transfers left behind.
 *
 * @param evenInUse also what was used within the last hour
 * @throws CacheFailure
 */
export async function pruneCache(
	cache: BlobCache,
	limit: number,
	{ evenInUse = false, now = Date.now() } = {},
): Promise<Pruned> {
	await removeUntouched(join(cache.folder, "incoming"), now - ABANDONED);
	const blobs = (await cachedBlobs(cache)).toSorted((a, b) => a.usedAt - b.usedAt);
	let kept = blobs.reduce((bytes, { size }) => bytes + size, 0);
	let removed = 0;
	let bytes = 0;
	for (const { digest, size, usedAt } of blobs) {
		if (kept <= limit || (!evenInUse && usedAt > now - IN_USE)) break;
		await cache.remove(digest);
		kept -= size;
		bytes += size;
		removed += 1;
	}
	return { blobs: removed, bytes, kept };
}

async function removeUntouched(folder: string, before: number): Promise<void> {
	for (const name of await namesIn(folder)) {
		const path = join(folder, name);
		const stats = await stat(path).catch(() => undefined);
		if (stats !== undefined && stats.mtimeMs < before) await rm(path, { force: true });
	}
}

async function namesIn(folder: string): Promise<readonly string[]> {
	return readdir(folder).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
		throw new CacheFailure(folder, error, "read");
	});
}
