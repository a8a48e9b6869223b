import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { BlobCache } from "../../src/image/cache/blob-cache.js";
import type { Descriptor } from "../../src/image/manifest/image-manifest.js";

const OCI = "application/vnd.oci.image";

/** Puts an image with layers of these contents into a cache; they need be no tars. */
export async function cacheImage(
	cache: BlobCache,
	layers: readonly Buffer[],
	platform = { os: "linux", architecture: "amd64" },
): Promise<Descriptor> {
	const blobs = await Promise.all(
		layers.map((layer) => cacheBlob(cache, "layer.v1.tar+gzip", layer)),
	);
	const diffIds = layers.map(
		(layer) => `sha256:${createHash("sha256").update(layer).digest("hex")}`,
	);
	const rootfs = { type: "layers", diff_ids: diffIds };
	const config = await cacheBlob(
		cache,
		"config.v1+json",
		json({ ...platform, config: {}, rootfs }),
	);
	return cacheBlob(cache, "manifest.v1+json", manifestJson("manifest", { config, layers: blobs }));
}

/** Puts an index of images into a cache. */
export function cacheIndex(
	cache: BlobCache,
	manifests: readonly Descriptor[],
): Promise<Descriptor> {
	return cacheBlob(cache, "index.v1+json", manifestJson("index", { manifests }));
}

/** A layer's content is compressed. */
async function cacheBlob(cache: BlobCache, type: string, content: Buffer): Promise<Descriptor> {
	const stored = type.endsWith("+gzip") ? gzipSync(content, { level: 1 }) : content;
	const digest = await cache.store(stored);
	return { mediaType: `${OCI}.${type}`, digest, size: stored.length };
}

function manifestJson(kind: "manifest" | "index", parts: object): Buffer {
	return json({ schemaVersion: 2, mediaType: `${OCI}.${kind}.v1+json`, ...parts });
}

function json(value: unknown): Buffer {
	return Buffer.from(JSON.stringify(value));
}
