import { DeliveryError } from "../../errors.js";
import type { BlobCache } from "../cache/blob-cache.js";
import { blobsOf, type CachedImage } from "../cache/cached-image.js";
import { type Digest, digestOf, hexOf } from "../manifest/digest.js";
import type { Descriptor } from "../manifest/image-manifest.js";
import { OCI_TYPES } from "../manifest/media-types.js";
import { inOciTypes } from "../manifest/oci-types.js";
import { NAME_ANNOTATION, TAG_ANNOTATION } from "../oci-layout.js";
import { parseTag } from "../reference.js";
import { type TarEntry, tarEntry } from "./tar-entries.js";

/** What becomes a layout: an image, or an index of several. */
type LayoutContents = Pick<CachedImage, "root" | "manifests">;

interface LayoutOptions {
	/** As the user wrote them. */
	readonly tags: readonly string[];
	/** Also what `docker load` reads, manifest.json, of this image. */
	readonly docker?: Pick<CachedImage, "config" | "layers"> | undefined;
	/** Of each of its names. */
	readonly annotations?: Readonly<Record<string, string>>;
	/** Blobs to leave out, which whoever reads it has. */
	readonly without?: ReadonlySet<Digest>;
}

/**
 * The files of an OCI image layout (image-spec, image-layout), in their order. Nothing in it depends on
 * the time or on the machine. What a daemon pushed in docker's own media types is put into those of OCI, as
 * tools want them in a layout; configuration and layers stay as they are.
 *
 * @throws DeliveryError
 */
export async function imageLayout(
	cache: BlobCache,
	contents: LayoutContents,
	{ tags, docker, annotations = {}, without = new Set() }: LayoutOptions,
): Promise<readonly TarEntry[]> {
	const manifests = new Map<Digest, Buffer>();
	const root = await ociRoot(cache, contents, manifests);
	const index = {
		schemaVersion: 2,
		mediaType: OCI_TYPES.index,
		manifests: named(root, tags, annotations),
	};
	const blobs = blobsOf(contents).filter(({ digest }) => !without.has(digest));
	return [
		json("oci-layout", { imageLayoutVersion: "1.0.0" }),
		json("index.json", index),
		...(docker ? [json("manifest.json", dockerManifest(docker, tags))] : []),
		...[...manifests].map(([digest, content]) => tarEntry(blobPath(digest), content)),
		...blobs.map(({ digest, size }) => ({
			name: blobPath(digest),
			size,
			open: () => cache.read(digest),
		})),
	];
}

function blobPath(digest: Digest): string {
	return `blobs/sha256/${hexOf(digest)}`;
}

/** What `docker load` goes by (moby, image/spec). */
function dockerManifest(
	{ config, layers }: Pick<CachedImage, "config" | "layers">,
	tags: readonly string[],
): unknown {
	return [
		{
			Config: blobPath(config.digest),
			RepoTags: tags.map((tag) => parseTag(tag).familiar),
			Layers: layers.map(({ digest }) => blobPath(digest)),
		},
	];
}

/** One entry for each name, as containerd and docker write and read them. */
function named(
	root: Descriptor,
	tags: readonly string[],
	annotations: Readonly<Record<string, string>>,
): readonly Descriptor[] {
	if (tags.length === 0) {
		return [Object.keys(annotations).length > 0 ? { ...root, annotations } : root];
	}
	return tags.map((text) => {
		const { domain, path, tag } = parseTag(text);
		const names = {
			[NAME_ANNOTATION]: `${domain}/${path}:${tag}`,
			[TAG_ANNOTATION]: tag,
		};
		return { ...root, annotations: { ...annotations, ...names } };
	});
}

/** The manifests that go into the layout, and which of them is the first. */
async function ociRoot(
	cache: BlobCache,
	{ root, manifests }: LayoutContents,
	into: Map<Digest, Buffer>,
): Promise<Descriptor> {
	const oci = inOciTypes(root, manifests.get(root.digest));
	if (oci !== undefined) {
		const { mediaType, content } = oci;
		const digest = digestOf(content);
		into.set(digest, content);
		return { mediaType, digest, size: content.length };
	}
	for (const digest of manifests.keys()) {
		const content = await cache.content(digest);
		if (content === undefined)
			throw new DeliveryError(`manifest ${digest} is not in the cache any more`);
		into.set(digest, content);
	}
	return root;
}

function json(name: string, value: unknown): TarEntry {
	return tarEntry(name, Buffer.from(JSON.stringify(value)));
}
