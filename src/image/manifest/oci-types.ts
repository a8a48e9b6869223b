import type { Descriptor, Manifest } from "./image-manifest.js";
import { DOCKER_TYPES, OCI_TYPES } from "./media-types.js";

const TRANSLATIONS: Readonly<Record<string, string>> = {
	[DOCKER_TYPES.manifest]: OCI_TYPES.manifest,
	[DOCKER_TYPES.config]: OCI_TYPES.config,
	[DOCKER_TYPES.gzipLayer]: OCI_TYPES.gzipLayer,
	[DOCKER_TYPES.tarLayer]: OCI_TYPES.tarLayer,
};

/**
 * A manifest in docker's own media types as one in those of OCI, of the same configuration and layers.
 * @returns undefined for any other
 */
export function inOciTypes(
	root: Descriptor,
	manifest: Manifest | undefined,
): { readonly mediaType: string; readonly content: Buffer } | undefined {
	const mediaType = TRANSLATIONS[root.mediaType];
	if (manifest?.kind !== "image" || mediaType === undefined) return undefined;
	const { config, layers } = manifest;
	const document = {
		schemaVersion: 2,
		mediaType,
		config: translated(config),
		layers: layers.map(translated),
	};
	return { mediaType, content: Buffer.from(JSON.stringify(document)) };
}

function translated({ mediaType, digest, size }: Descriptor): Descriptor {
	return { mediaType: TRANSLATIONS[mediaType] ?? mediaType, digest, size };
}
