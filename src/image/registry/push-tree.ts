import { DeliveryError } from "../../errors.js";
import type { BlobCache } from "../cache/blob-cache.js";
import { type Digest, hexOf } from "../manifest/digest.js";
import {
	type Descriptor,
	diffIdsOf,
	isAttestation,
	parseManifest,
} from "../manifest/image-manifest.js";

/** A manifest or an index, as it is in the cache. */
export interface PushedManifest extends Descriptor {
	readonly content: Buffer;
}

/** What there is to push of an image or an index. */
export interface PushTree {
	readonly root: PushedManifest;
	/** All others, in the order in which a registry takes them: what is named comes before who names it. */
	readonly manifests: readonly PushedManifest[];
	/** Configurations, layers and attestations, each once. */
	readonly blobs: readonly Descriptor[];
	/** What a layer is called, for people: the first digits of the digest of its uncompressed content. */
	readonly layerIds: ReadonlyMap<Digest, string>;
}

const ID_DIGITS = 12;

/**
 * @param isThere whether a manifest, and with it all that it names, need not be pushed
 * @throws DeliveryError for what is not in the cache, or is no image
 */
export async function readPushTree(
	cache: BlobCache,
	root: Descriptor,
	isThere: (manifest: Descriptor) => Promise<boolean>,
): Promise<PushTree> {
	const manifests = new Map<Digest, PushedManifest>();
	const blobs = new Map<Digest, Descriptor>();
	const layerIds = new Map<Digest, string>();

	const visit = async (descriptor: Descriptor): Promise<PushedManifest> => {
		const content = await contentOf(cache, descriptor.digest);
		const read = { ...descriptor, content };
		if (await isThere(descriptor)) return read;
		const manifest = parseManifest(content, descriptor.digest);
		if (manifest.kind === "index") {
			for (const child of manifest.manifests) {
				if (!manifests.has(child.digest)) manifests.set(child.digest, await visit(child));
			}
			return read;
		}
		const { config, layers } = manifest;
		for (const blob of [config, ...layers]) blobs.set(blob.digest, blob);
		if (!isAttestation(layers)) {
			const diffIds = diffIdsOf(await contentOf(cache, config.digest), config.digest);
			for (const [index, { digest }] of layers.entries()) {
				layerIds.set(digest, hexOf(diffIds[index] ?? digest).slice(0, ID_DIGITS));
			}
		}
		return read;
	};

	const top = await visit(root);
	return { root: top, manifests: [...manifests.values()], blobs: [...blobs.values()], layerIds };
}

async function contentOf(cache: BlobCache, digest: Digest): Promise<Buffer> {
	const content = await cache.content(digest);
	if (content !== undefined) return content;
	throw new DeliveryError(`${digest} is not in the image cache any more`, {
		hint: "run rbuild again: it comes again",
	});
}
