import type { Descriptor, Manifest } from "./image-manifest.js";

const OCI_TYPES: Readonly<Record<string, string>> = {
	"application/vnd.docker.distribution.manifest.v2+json":
		"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.image.rootfs.diff.tar.gzip":
		"application/vnd.oci.image.layer.v1.tar+gzip",
	"application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
};

export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

/**
 * A manifest in docker's own media types as one in those of OCI, of the same configuration and layers.
 * @returns undefined for any other
 */
export function inOciTypes(
	root: Descriptor,
	manifest: Manifest | undefined,
): { readonly mediaType: string; readonly content: Buffer } | undefined {
	const mediaType = OCI_TYPES[root.mediaType];
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
	return { mediaType: OCI_TYPES[mediaType] ?? mediaType, digest, size };
}
