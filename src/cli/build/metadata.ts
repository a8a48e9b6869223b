import type { BuildReport } from "../../events.js";
import { parseReference } from "../../image/reference.js";

/**
 * What --metadata-file holds: the report, and what scripts look for in buildx's. There, the digest of an
 * image is the one that a registry knows it by where it was pushed, else its id, else that of an archive.
 */
export function metadataOf(report: BuildReport): string {
	const { imageId, deliveries, tags } = report;
	const pushed = deliveries.find(({ method }) => method === "push")?.digest;
	const archived = deliveries.findLast(
		({ method, digest }) => method === "export" && digest,
	)?.digest;
	const digest = pushed ?? imageId ?? archived;
	// The id is that of the manifest with the containerd image store.
	const idOfConfig = pushed === undefined || pushed === imageId ? undefined : imageId;
	const configDigest = report.configDigest ?? idOfConfig;
	const names = tags.map((tag) => {
		const { domain, path, tag: version } = parseReference(tag);
		return `${domain}/${path}:${version}`;
	});
	const metadata = {
		...report,
		...(digest === undefined ? {} : { "containerimage.digest": digest }),
		...(configDigest === undefined ? {} : { "containerimage.config.digest": configDigest }),
		...(names.length === 0 ? {} : { "image.name": names.join() }),
	};
	return `${JSON.stringify(metadata, null, 2)}\n`;
}
