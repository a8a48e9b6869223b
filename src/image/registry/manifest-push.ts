import type { Digest } from "../manifest/digest.js";
import { pushScopes } from "./push-place.js";
import type { PushedManifest } from "./push-tree.js";
import { headerOf, patienceWith, type RegistryClient } from "./registry-client.js";
import { RegistryFailure } from "./registry-failure.js";

/** Whether a repository has a manifest. */
export async function hasManifest(
	client: RegistryClient,
	repository: string,
	digest: Digest,
	mediaType: string,
): Promise<boolean> {
	const { status } = await client.send(`/v2/${repository}/manifests/${digest}`, {
		method: "HEAD",
		headers: { Accept: mediaType },
		scopes: pushScopes(repository),
		expected: [200, 404],
	});
	return status === 200;
}

/**
 * @param tag absent: it is only known by its digest
 * @throws RegistryFailure, also where the registry made something else of it
 */
export async function putManifest(
	client: RegistryClient,
	repository: string,
	{ digest, mediaType, content }: PushedManifest,
	tag?: string,
): Promise<void> {
	const answer = await client.send(`/v2/${repository}/manifests/${tag ?? digest}`, {
		method: "PUT",
		headers: { "Content-Type": mediaType },
		body: () => content,
		scopes: pushScopes(repository),
		expected: [200, 201, 202],
		patience: patienceWith(content.length),
	});
	const kept = headerOf(answer, "docker-content-digest") ?? digest;
	if (kept !== digest) {
		throw new RegistryFailure(`it made ${kept} of manifest ${digest}`);
	}
}
