import { fields } from "../../engine/document.js";
import { DeliveryError } from "../../errors.js";
import { asDigest, type Digest } from "./digest.js";
import { DOCKER_TYPES, OCI_TYPES } from "./media-types.js";

/** A blob, as a manifest or an index names it (OCI image-spec, descriptor). */
export interface Descriptor {
	readonly mediaType: string;
	readonly digest: Digest;
	/** Bytes. */
	readonly size: number;
	/** In an index; an attestation's is "unknown/unknown". */
	readonly platform?: Readonly<Record<string, unknown>>;
	readonly annotations?: Readonly<Record<string, string>>;
}

export type Manifest =
	| { readonly kind: "image"; readonly config: Descriptor; readonly layers: readonly Descriptor[] }
	| { readonly kind: "index"; readonly manifests: readonly Descriptor[] };

const MANIFEST_TYPES: readonly string[] = [
	OCI_TYPES.index,
	OCI_TYPES.manifest,
	DOCKER_TYPES.index,
	DOCKER_TYPES.manifest,
];

/** Longest one that is taken, in bytes: as registries do. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;

/** More layers than any store takes (docker: 127). */
const PARTS_LIMIT = 1000;

export function isManifestType(mediaType: string): boolean {
	return MANIFEST_TYPES.includes(mediaType);
}

/** @throws DeliveryError for what is neither a manifest nor an index */
export function parseManifest(content: Uint8Array, digest: Digest): Manifest {
	const what = `manifest ${digest}`;
	const { config, layers, manifests } = fields(parseJson(content, what));
	if (manifests !== undefined) {
		return { kind: "index", manifests: descriptors(manifests, `an image in ${what}`) };
	}
	return {
		kind: "image",
		config: parseDescriptor(config, `the configuration in ${what}`),
		layers: descriptors(layers, `a layer in ${what}`),
	};
}

/**
 * The digests of an image's uncompressed layers, from the bottom (image-spec, config "rootfs").
 * @throws DeliveryError
 */
export function diffIdsOf(config: Uint8Array, digest: Digest): readonly Digest[] {
	const what = `configuration ${digest}`;
	const { diff_ids } = fields(fields(parseJson(config, what)).rootfs);
	if (diff_ids === undefined || diff_ids === null) return [];
	if (!Array.isArray(diff_ids)) throw new DeliveryError(`${what} has no list of layers`);
	return diff_ids.map((id) => asDigest(id, `a layer in ${what}`));
}

function descriptors(value: unknown, what: string): readonly Descriptor[] {
	if (!Array.isArray(value) || value.length > PARTS_LIMIT) {
		throw new DeliveryError(`${what} cannot be read: there is no list of at most ${PARTS_LIMIT}`);
	}
	return value.map((item) => parseDescriptor(item, what));
}

/** @param what it is of, for messages. @throws DeliveryError */
export function parseDescriptor(value: unknown, what: string): Descriptor {
	const { mediaType, digest, size, platform, annotations } = fields(value);
	if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
		throw new DeliveryError(`${what} has no size`);
	}
	return {
		mediaType: typeof mediaType === "string" ? mediaType : "",
		digest: asDigest(digest, what),
		size,
		...(platform === undefined ? {} : { platform: fields(platform) }),
		...(annotations === undefined ? {} : { annotations: textFields(annotations) }),
	};
}

function textFields(value: unknown): Readonly<Record<string, string>> {
	const texts = Object.entries(fields(value)).filter(([, text]) => typeof text === "string");
	return Object.fromEntries(texts) as Record<string, string>;
}

function parseJson(content: Uint8Array, what: string): unknown {
	try {
		return JSON.parse(Buffer.from(content).toString("utf8"));
	} catch {
		throw new DeliveryError(`${what} is not JSON`);
	}
}

/** BuildKit's attestations: in-toto statements in place of layers. */
export function isAttestation(layers: readonly Descriptor[]): boolean {
	return layers.length > 0 && layers.every(({ mediaType }) => mediaType.includes("in-toto"));
}
