import { join } from "node:path";
import { cacheFolder } from "../cache-folder.js";
import type { Environment } from "../environment.js";
import { UsageError } from "../errors.js";
import { BlobCache } from "../image/cache/blob-cache.js";
import type { ReturnCache } from "../image/return/image-return.js";
import { byteSize } from "./plan/go-values.js";

/** Bytes that it may grow to where nothing else is said. */
const DEFAULT_LIMIT = 20 * 1024 ** 3;

/**
 * The cache of this user's images, and what it may grow to: RBUILD_CACHE_SIZE, such as "5g".
 * @throws UsageError
 */
export function imageCache(environment: Environment): ReturnCache {
	const { RBUILD_CACHE_SIZE: size } = environment.variables;
	return {
		blobs: new BlobCache(join(cacheFolder(environment), "images")),
		limit: size ? parseLimit(size) : DEFAULT_LIMIT,
	};
}

function parseLimit(text: string): number {
	const bytes = byteSize(text);
	if (bytes !== undefined) return bytes;
	throw new UsageError(`RBUILD_CACHE_SIZE "${text}" is not a size`, {
		hint: "write it as a number with a unit, such as 5g",
	});
}
