import { DeliveryError } from "../../errors.js";
import type { BlobCache } from "../cache/blob-cache.js";
import { blobsOf, type CachedImage } from "../cache/cached-image.js";
import { type Digest, digestOf, hexOf } from "../digest.js";
import type { Descriptor } from "../image-manifest.js";
import { parseTag } from "../reference.js";
import { type TarEntry, tarEntry } from "./tar-entries.js";

/** What one image becomes: the files of an OCI image layout (image-spec, image-layout), in their order. */
export interface LayoutOptions {
	/** As the user wrote them. */
	readonly tags: readonly string[];
	/** Also what `docker load` reads: manifest.json. */
	readonly docker: boolean;
	/** Blobs to leave out, which whoever reads it has. */
	readonly without?: ReadonlySet<Digest>;
}

/**
 * Nothing in it depends on the time or on the machine. What a daemon pushed in docker's own media types
 * is put into those of OCI, as tools want them in a layout; configuration and layers stay as they are.
 *
 * @throws DeliveryError
 */
export async function imageLayout(
	cache: BlobCache,
	image: CachedImage,
	{ tags, docker, without = new Set() }: LayoutOptions,
): Promise<readonly TarEntry[]> {
	const manifests = new Map<Digest, Buffer>();
	const root = await ociRoot(cache, image, manifests);
	const index = {
		schemaVersion: 2,
		mediaType: "application/vnd.oci.image.index.v1+json",
		manifests: named(root, tags),
	};
	const blobs = blobsOf(image).filter(({ digest }) => !without.has(digest));
	return [
		json("oci-layout", { imageLayoutVersion: "1.0.0" }),
		json("index.json", index),
		...(docker ? [json("manifest.json", dockerManifest(image, tags))] : []),
		...[...manifests].map(([digest, content]) => tarEntry(blobPath(digest), content)),
		...blobs.map(({ digest, size }) => ({
			name: blobPath(digest),
			size,
			open: () => cache.read(digest),
		})),
	];
}

export function blobPath(digest: Digest): string {
	return `blobs/sha256/${hexOf(digest)}`;
}

/** What `docker load` goes by (moby, image/spec). */
function dockerManifest({ config, layers }: CachedImage, tags: readonly string[]): unknown {
	return [
		{
			Config: blobPath(config.digest),
			RepoTags: tags.map((tag) => parseTag(tag).familiar),
			Layers: layers.map(({ digest }) => blobPath(digest)),
		},
	];
}

/** One entry for each name, as containerd and docker write and read them. */
function named(root: Descriptor, tags: readonly string[]): readonly unknown[] {
	if (tags.length === 0) return [root];
	return tags.map((text) => {
		const { domain, path, tag } = parseTag(text);
		const annotations = {
			"io.containerd.image.name": `${domain}/${path}:${tag}`,
			"org.opencontainers.image.ref.name": tag,
		};
		return { ...root, annotations };
	});
}

const OCI_TYPES: Readonly<Record<string, string>> = {
	"application/vnd.docker.distribution.manifest.v2+json":
		"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.image.rootfs.diff.tar.gzip":
		"application/vnd.oci.image.layer.v1.tar+gzip",
	"application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
};

/** The manifests that go into the layout, and which of them is the first. */
async function ociRoot(
	cache: BlobCache,
	{ root, manifests }: CachedImage,
	into: Map<Digest, Buffer>,
): Promise<Descriptor> {
	const manifest = manifests.get(root.digest);
	if (manifest?.kind === "image" && root.mediaType in OCI_TYPES) {
		const { config, layers } = manifest;
		const mediaType = OCI_TYPES[root.mediaType] ?? "";
		const content = Buffer.from(
			JSON.stringify({
				schemaVersion: 2,
				mediaType,
				config: inOciTypes(config),
				layers: layers.map(inOciTypes),
			}),
		);
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

function inOciTypes({ mediaType, digest, size }: Descriptor): Descriptor {
	return { mediaType: OCI_TYPES[mediaType] ?? mediaType, digest, size };
}

function json(name: string, value: unknown): TarEntry {
	return tarEntry(name, Buffer.from(JSON.stringify(value)));
}
