import type { Environment } from "../../environment.js";
import { DeliveryError } from "../../errors.js";
import type { Run } from "../../events.js";
import { interrupted } from "../../interruption.js";
import type { BlobCache } from "../cache/blob-cache.js";
import type { CredentialSource } from "../credentials/registry-credentials.js";
import type { Digest } from "../manifest/digest.js";
import type { Descriptor } from "../manifest/image-manifest.js";
import { parseTag } from "../reference.js";
import { registryWeb } from "../web/registry-web.js";
import { pushBlob } from "./blob-push.js";
import { hasManifest, putManifest } from "./manifest-push.js";
import { MountHints } from "./mount-hints.js";
import type { PushPlace } from "./push-place.js";
import { type PushNews, PushTally } from "./push-tally.js";
import { type PushTree, readPushTree } from "./push-tree.js";
import { RegistryClient } from "./registry-client.js";
import { RegistryFailure } from "./registry-failure.js";

interface CachePush {
	/** Has `root`, and all that it names. */
	readonly cache: BlobCache;
	/** A manifest, or an index. */
	readonly root: Descriptor;
	/** As the user wrote it. */
	readonly tag: string;
	readonly credentials: CredentialSource;
	readonly environment: Environment;
	/** A repository of that registry which may have blobs of it, where nothing better is known. */
	readonly mountFrom?: string | undefined;
	readonly onProgress: (news: PushNews) => void;
}

/** What a registry has now. */
export interface RegistryPush {
	/** What the tag stands for. */
	readonly digest: Digest;
	/** Bytes that were sent for it. */
	readonly bytes: number;
	/** Bytes of its blobs that the registry had already. */
	readonly reusedBytes: number;
}

/** Blobs at once. */
const AT_ONCE = 4;

/**
 * Pushes an image, or an index of images, from the cache to the registry of a tag (OCI distribution-spec):
 * what the registry lacks of its blobs, then its manifests from the bottom, and at the very end the one
 * that the tag is to stand for. All of it stays as it is, to the byte.
 *
 * @throws UsageError when it is no tag; DeliveryError that names tag, registry and reason; InterruptedError
 */
export async function pushFromCache(push: CachePush, run: Run): Promise<RegistryPush> {
	const { domain: registry, familiar } = parseTag(push.tag);
	const login = await push.credentials.credentialsFor(registry);
	const web = registryWeb(push.environment);
	const failed = new AbortController();
	const signal = AbortSignal.any([run.signal, failed.signal]);
	try {
		const client = await RegistryClient.open(registry, login, web, signal);
		return await pushTo(client, push, signal, failed);
	} catch (error) {
		const reason: unknown = failed.signal.aborted ? failed.signal.reason : error;
		if (run.signal.aborted) throw interrupted(run.signal);
		if (!(reason instanceof RegistryFailure)) throw reason;
		throw new DeliveryError(`cannot push ${familiar} to ${registry}: ${reason.message}`, {
			hint: reason.hint,
			cause: reason,
		});
	}
}

/** @param failed ends everything else that is under way */
async function pushTo(
	client: RegistryClient,
	{ cache, root, tag, mountFrom, onProgress }: CachePush,
	signal: AbortSignal,
	failed: AbortController,
): Promise<RegistryPush> {
	const { path: repository, tag: name } = parseTag(tag);
	const place = { client, repository, cache, signal };
	// A registry has all that its manifests name.
	const tree = await readPushTree(cache, root, ({ digest, mediaType }) =>
		hasManifest(client, repository, digest, mediaType),
	);
	const tally = new PushTally(tree, onProgress);
	await pushBlobs(tree, place, mountFrom, tally, failed);
	for (const manifest of tree.manifests) await putManifest(client, repository, manifest);
	await putManifest(client, repository, tree.root, name);
	return { digest: root.digest, bytes: tally.sent, reusedBytes: tally.reused };
}

async function pushBlobs(
	{ blobs }: PushTree,
	place: PushPlace,
	mountFrom: string | undefined,
	tally: PushTally,
	failed: AbortController,
): Promise<void> {
	if (blobs.length === 0) return;
	const { cache, client, repository } = place;
	const hints = await MountHints.read(cache, client.registry);
	const waiting = [...blobs];
	const work = async () => {
		for (let blob = waiting.shift(); blob !== undefined; blob = waiting.shift()) {
			const known = hints.repositoryOf(blob.digest) ?? mountFrom;
			const from = known === repository ? undefined : known;
			const arrival = await pushBlob(blob, place, from, tally.counterOf(blob));
			tally.arrived(blob, arrival);
		}
	};
	const stop = (error: unknown) => {
		waiting.length = 0;
		if (!failed.signal.aborted) failed.abort(error);
	};
	await Promise.all(Array.from({ length: AT_ONCE }, () => work().catch(stop)));
	if (failed.signal.aborted) throw failed.signal.reason;
	await hints.note(
		blobs.map(({ digest }) => digest),
		repository,
	);
}
