/** What registries call an image's parts in docker's own words (distribution, image manifest version 2, schema 2). */
export const DOCKER_TYPES = {
	index: "application/vnd.docker.distribution.manifest.list.v2+json",
	manifest: "application/vnd.docker.distribution.manifest.v2+json",
	config: "application/vnd.docker.container.image.v1+json",
	gzipLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
	tarLayer: "application/vnd.docker.image.rootfs.diff.tar",
} as const;

/** The same in those of OCI (image-spec, media-types.md). */
export const OCI_TYPES = {
	index: "application/vnd.oci.image.index.v1+json",
	manifest: "application/vnd.oci.image.manifest.v1+json",
	config: "application/vnd.oci.image.config.v1+json",
	gzipLayer: "application/vnd.oci.image.layer.v1.tar+gzip",
	tarLayer: "application/vnd.oci.image.layer.v1.tar",
} as const;
