import assert from "node:assert/strict";
import { createHash } from "node:crypto";

const TYPES = {
	config: "application/vnd.oci.image.config.v1+json",
	manifest: "application/vnd.oci.image.manifest.v1+json",
	index: "application/vnd.oci.image.index.v1+json",
} as const;

/**
 * Puts an image without files into a registry, as an index with nothing in it but linux/s390x, and so for
 * no machine that runs tests.
 *
 * @param authorization of the requests
 * @returns its name
 */
export async function pushForeignImage(host: string, authorization: string): Promise<string> {
	const put = async (url: string | URL, type: string, body: string) => {
		const headers = { "Content-Type": type, Authorization: authorization };
		const response = await fetch(url, { method: "PUT", headers, body });
		assert.ok(response.ok, `PUT ${url}: ${response.status}`);
		return { mediaType: type, digest: digestOf(body), size: Buffer.byteLength(body) };
	};
	const repository = `http://${host}/v2/foreign`;
	const platform = { os: "linux", architecture: "s390x" };
	const config = JSON.stringify({ ...platform, rootfs: { type: "layers", diff_ids: [] } });
	const started = await fetch(`${repository}/blobs/uploads/`, {
		method: "POST",
		headers: { Authorization: authorization },
	});
	const upload = new URL(started.headers.get("location") ?? "", repository);
	upload.searchParams.set("digest", digestOf(config));
	const blob = await put(upload, "application/octet-stream", config);
	const manifest = JSON.stringify({
		...{ schemaVersion: 2, mediaType: TYPES.manifest, layers: [] },
		config: { ...blob, mediaType: TYPES.config },
	});
	const entry = await put(
		`${repository}/manifests/${digestOf(manifest)}`,
		TYPES.manifest,
		manifest,
	);
	const manifests = [{ ...entry, platform }];
	const index = JSON.stringify({ schemaVersion: 2, mediaType: TYPES.index, manifests });
	await put(`${repository}/manifests/latest`, TYPES.index, index);
	return `${host}/foreign`;
}

function digestOf(text: string): string {
	return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
