import { DeliveryError } from "../../errors.js";
import type { Descriptor } from "../manifest/image-manifest.js";
import { BlobUpload } from "./blob-upload.js";
import { type PushPlace, pushScopes } from "./push-place.js";
import { headerOf, type RegistryAnswer, type RegistryClient } from "./registry-client.js";
import { RegistryFailure } from "./registry-failure.js";

/** How a blob got there. */
export type BlobArrival =
	| { readonly way: "there" | "sent" }
	| { readonly way: "mounted"; readonly from: string };

/**
 * Makes sure that a repository has a blob: it may have it already, may take it over from another
 * repository of its registry, or is sent it.
 *
 * @param mountFrom a repository of the same registry that may have it
 * @param onBytes told of bytes as they go
 * @throws RegistryFailure; DeliveryError for a blob that is not in the cache; InterruptedError
 */
export async function pushBlob(
	blob: Descriptor,
	place: PushPlace,
	mountFrom: string | undefined,
	onBytes: (bytes: number) => void,
): Promise<BlobArrival> {
	if (await isThere(blob, place)) return { way: "there" };
	const mounted = mountFrom === undefined ? undefined : await mount(blob, mountFrom, place);
	if (mounted === true) return { way: "mounted", from: mountFrom ?? "" };
	const started = mounted ?? (await startUpload(place));
	const again = async () => ({ place: await startUpload(place), offset: 0 });
	const isDone = () => isThere(blob, place);
	await new BlobUpload(blob, place, { onBytes, isDone, again }).run({ place: started, offset: 0 });
	return { way: "sent" };
}

async function isThere({ digest }: Descriptor, { client, repository }: PushPlace) {
	const { status } = await client.send(`/v2/${repository}/blobs/${digest}`, {
		method: "HEAD",
		scopes: pushScopes(repository),
		expected: [200, 404],
	});
	return status === 200;
}

const START = { method: "POST", headers: { "Content-Length": "0" } } as const;

/** @returns true where that worked; else the place of an upload, where the registry has begun one instead */
async function mount(
	{ digest }: Descriptor,
	from: string,
	{ client, repository }: PushPlace,
): Promise<URL | true | undefined> {
	const scopes = [...pushScopes(repository), `repository:${from}:pull`];
	const query = new URLSearchParams({ mount: digest, from });
	try {
		const place = `/v2/${repository}/blobs/uploads/?${query}`;
		const answer = await client.send(place, { ...START, scopes, expected: [201, 202] });
		return answer.status === 201 ? true : nextPlace(answer, client);
	} catch (error) {
		// It is not ours to read, or that registry cannot do it.
		if (error instanceof RegistryFailure || error instanceof DeliveryError) return undefined;
		throw error;
	}
}

async function startUpload({ client, repository }: PushPlace): Promise<URL> {
	const scopes = pushScopes(repository);
	const place = `/v2/${repository}/blobs/uploads/`;
	return nextPlace(await client.send(place, { ...START, scopes, expected: [202] }), client);
}

function nextPlace(answer: RegistryAnswer, client: RegistryClient): URL {
	return client.locate(headerOf(answer, "location"), answer.url);
}
