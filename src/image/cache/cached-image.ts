import { join } from "node:path";
import { readKeptFile } from "../../cache-folder.js";
import { replaceCacheFile } from "../../disk/cache-file.js";
import { fields } from "../../engine/document.js";
import { type Digest, hexOf, isDigest } from "../manifest/digest.js";
import {
	type Descriptor,
	diffIdsOf,
	isAttestation,
	type Manifest,
	parseManifest,
} from "../manifest/image-manifest.js";
import type { BlobCache } from "./blob-cache.js";

/** A layer of an image. */
interface ImageLayer extends Descriptor {
	/** The digest of the layer without compression. */
	readonly diffId: Digest;
}

/** An image whose manifests and configuration are in the cache; layers may be missing. */
export interface CachedImage {
	/** What it was pushed as: its manifest, or an index that also has attestations. */
	readonly root: Descriptor;
	/** The index and all manifests, each with what it says. */
	readonly manifests: ReadonlyMap<Digest, Manifest>;
	/** The image itself, of one platform. */
	readonly manifest: Descriptor;
	readonly config: Descriptor;
	readonly layers: readonly ImageLayer[];
}

/**
 * Reads an image by what it was pushed as.
 * @returns undefined where a part of it is not there
 * @throws DeliveryError for what is no image
 */
export async function readCachedImage(
	cache: BlobCache,
	root: Descriptor,
): Promise<CachedImage | undefined> {
	const manifests = new Map<Digest, Manifest>();
	const waiting = [root];
	let found: Pick<CachedImage, "manifest" | "config" | "layers"> | undefined;
	for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
		if (manifests.has(next.digest)) continue;
		const content = await cache.content(next.digest);
		if (content === undefined) return undefined;
		const manifest = parseManifest(content, next.digest);
		manifests.set(next.digest, manifest);
		if (manifest.kind === "index") {
			waiting.push(...manifest.manifests);
			continue;
		}
		if (found !== undefined || isAttestation(manifest.layers)) continue;
		const config = await cache.content(manifest.config.digest);
		if (config === undefined) return undefined;
		const diffIds = diffIdsOf(config, manifest.config.digest);
		const layers = manifest.layers.map((layer, index) => ({ ...layer, diffId: diffIds[index] }));
		if (!layers.every(hasDiffId)) return undefined;
		found = { manifest: next, config: manifest.config, layers };
	}
	return found && { root, manifests, ...found };
}

/** Everything that belongs to it and is no manifest: configurations, layers, attestations. */
export function blobsOf({ manifests }: Pick<CachedImage, "manifests">): readonly Descriptor[] {
	const blobs = new Map<Digest, Descriptor>();
	for (const manifest of manifests.values()) {
		if (manifest.kind === "index") continue;
		for (const blob of [manifest.config, ...manifest.layers]) blobs.set(blob.digest, blob);
	}
	return [...blobs.values()];
}

/** Notes down what the image of a daemon was pushed as. @throws NodeJS.ErrnoException */
export async function recordImage(
	cache: BlobCache,
	imageId: Digest,
	{ mediaType, digest, size }: Descriptor,
): Promise<void> {
	const record = JSON.stringify({ mediaType, digest, size });
	await replaceCacheFile(recordPath(cache, imageId), Buffer.from(record));
}

/** What the image of that id was pushed as, if it was. */
export async function recordedImage(
	cache: BlobCache,
	imageId: Digest,
): Promise<Descriptor | undefined> {
	const text = await readKeptFile(recordPath(cache, imageId)).catch(() => "null");
	try {
		const { mediaType, digest, size } = fields(JSON.parse(String(text)));
		if (typeof mediaType !== "string" || !isDigest(digest) || typeof size !== "number") return;
		return { mediaType, digest, size };
	} catch {
		return undefined;
	}
}

function recordPath(cache: BlobCache, imageId: Digest): string {
	return join(cache.folder, "images", hexOf(imageId));
}

function hasDiffId(layer: Omit<ImageLayer, "diffId"> & { diffId?: unknown }): layer is ImageLayer {
	return layer.diffId !== undefined;
}
