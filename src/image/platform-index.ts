import { fields } from "../engine/document.js";
import { joinPlatform } from "../engine/platforms.js";
import { DeliveryError } from "../errors.js";
import type { BlobCache } from "./cache/blob-cache.js";
import type { CachedImage } from "./cache/cached-image.js";
import type { Descriptor } from "./manifest/image-manifest.js";
import { OCI_TYPES } from "./manifest/media-types.js";
import { inOciTypes } from "./manifest/oci-types.js";

/** The image of one platform, which is in the cache with all its layers. */
interface PlatformImage {
	/** An OCI platform. */
	readonly platform: string;
	readonly image: CachedImage;
	/** Of its descriptor. */
	readonly annotations: Readonly<Record<string, string>>;
}

/** An index as it is in the cache, with what it has. */
export interface PlatformIndex {
	readonly root: Descriptor;
	/** For each image, the manifest that the index has of it. */
	readonly manifests: readonly Descriptor[];
}

/**
 * Makes one OCI index of the images of several platforms (image-spec, image-index) and puts it into the
 * cache. The same images give the same bytes. Where an image came with attestations, in an index of its
 * own, these are taken over.
 *
 * @param annotations of the index
 * @throws DeliveryError for an image of another platform; CacheFailure
 */
export async function makePlatformIndex(
	cache: BlobCache,
	images: readonly PlatformImage[],
	annotations: Readonly<Record<string, string>>,
): Promise<PlatformIndex> {
	const parts = await Promise.all(images.map((image) => entriesOf(cache, image)));
	const index = {
		schemaVersion: 2,
		mediaType: OCI_TYPES.index,
		manifests: [
			...parts.map(({ manifest }) => manifest),
			...parts.flatMap(({ attestations }) => attestations),
		],
		...(Object.keys(annotations).length > 0 ? { annotations } : {}),
	};
	const content = Buffer.from(JSON.stringify(index));
	const digest = await cache.store(content);
	return {
		root: { mediaType: OCI_TYPES.index, digest, size: content.length },
		manifests: parts.map(({ manifest }) => manifest),
	};
}

interface Entries {
	readonly manifest: Descriptor;
	/** They name the manifest that they are about in their annotations (BuildKit, attestation-storage.md). */
	readonly attestations: readonly Descriptor[];
}

async function entriesOf(
	cache: BlobCache,
	{ platform, image, annotations }: PlatformImage,
): Promise<Entries> {
	const { root, manifests, manifest } = image;
	const described = await platformOf(cache, image, platform);
	const whole = manifests.get(root.digest);
	if (whole?.kind === "index") {
		const own = whole.manifests.find(({ digest }) => digest === manifest.digest) ?? manifest;
		return {
			manifest: annotated({ ...own, platform: own.platform ?? described }, annotations),
			attestations: whole.manifests.filter((one) => one !== own),
		};
	}
	const oci = inOciTypes(root, whole);
	const { mediaType, digest, size } =
		oci === undefined
			? root
			: {
					mediaType: oci.mediaType,
					digest: await cache.store(oci.content),
					size: oci.content.length,
				};
	const entry = { mediaType, digest, size, platform: described };
	return { manifest: annotated(entry, annotations), attestations: [] };
}

function annotated(entry: Descriptor, more: Readonly<Record<string, string>>): Descriptor {
	const annotations = { ...entry.annotations, ...more };
	return Object.keys(annotations).length > 0 ? { ...entry, annotations } : entry;
}

/** As an index has it. @throws DeliveryError when the image says that it is of another one */
async function platformOf(
	cache: BlobCache,
	{ config: { digest } }: CachedImage,
	wanted: string,
): Promise<NonNullable<Descriptor["platform"]>> {
	const content = await cache.content(digest);
	const config = fields(JSON.parse(content?.toString("utf8") ?? "null"));
	const [os = "", architecture = "", variant] = wanted.split("/");
	const found = joinPlatform(String(config.os), String(config.architecture));
	if (found.split("/").slice(0, 2).join("/") !== `${os}/${architecture}`) {
		throw new DeliveryError(`the image that was built for ${wanted} is one for ${found}`, {
			hint: "does the Dockerfile start from an image of that other platform, with FROM --platform or by digest?",
		});
	}
	return {
		architecture,
		os,
		...(variant === undefined ? {} : { variant }),
		...(typeof config["os.version"] === "string" ? { "os.version": config["os.version"] } : {}),
	};
}
