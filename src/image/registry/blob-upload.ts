import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { DeliveryError } from "../../errors.js";
import type { BlobCache } from "../cache/blob-cache.js";
import type { Digest } from "../manifest/digest.js";
import type { Descriptor } from "../manifest/image-manifest.js";
import { type PushPlace, pushScopes } from "./push-place.js";
import { headerOf, patienceWith } from "./registry-client.js";
import { BrokenConnection, RegistryFailure } from "./registry-failure.js";

/** How far an upload has come. */
interface UploadState {
	/** Where it goes on; the registry names another place after each request. */
	readonly place: URL;
	/** Bytes that the registry has. */
	readonly offset: number;
}

interface UploadHooks {
	/** Told of bytes as they go. */
	readonly onBytes: (bytes: number) => void;
	/** Whether the registry has the blob after all. */
	readonly isDone: () => Promise<boolean>;
	/** Begins another upload. */
	readonly again: () => Promise<UploadState>;
}

/** Up to so many bytes, a blob goes with the request that ends its upload. */
const SMALL = 1024 * 1024;
/** What goes in one request where that must not be as long as the blob. */
const CHUNKS = [16 * 1024 * 1024, 4 * 1024 * 1024];
/** How often a registry may have no time for one blob. */
const MOST_PAUSES = 4;
/** Before a connection is made anew, in milliseconds. */
const BREATH = 1000;

/**
 * One blob on its way. All of it goes in one request, as docker sends it, which every registry takes; if
 * that breaks off, the rest goes from where the registry has come to (distribution-spec, "pushing a blob
 * in chunks"), or all of it again where it has nothing to go on with.
 */
export class BlobUpload {
	readonly #blob: Descriptor;
	readonly #place: PushPlace;
	readonly #hooks: UploadHooks;
	readonly #scopes: readonly string[];
	/** Longest request. */
	#chunk = Number.POSITIVE_INFINITY;
	/** How far the registry had come when the connection last broke. */
	#brokenAt = -1;
	#pauses = 0;

	constructor(blob: Descriptor, place: PushPlace, hooks: UploadHooks) {
		this.#blob = blob;
		this.#place = place;
		this.#hooks = hooks;
		this.#scopes = pushScopes(place.repository);
	}

	/** @throws RegistryFailure; DeliveryError for a blob that is not in the cache; InterruptedError */
	async run(started: UploadState): Promise<void> {
		await requireBlob(this.#blob, this.#place.cache);
		for (let state = started; ; ) {
			try {
				while (!this.#isLast(state)) state = await this.#send(state);
				return await this.#finish(state);
			} catch (error) {
				const needsProgress = await this.#prepareToGoOn(error);
				if (await this.#hooks.isDone()) return;
				state = (await this.#ask(state.place)) ?? (await this.#hooks.again());
				if (needsProgress && state.offset <= this.#brokenAt) throw error;
				if (needsProgress) this.#brokenAt = state.offset;
			}
		}
	}

	/** Whether what is left goes with the request that ends it. */
	#isLast({ offset }: UploadState): boolean {
		const { size } = this.#blob;
		return offset === size || (offset === 0 && size <= Math.min(SMALL, this.#chunk));
	}

	async #send({ place, offset }: UploadState): Promise<UploadState> {
		const { size } = this.#blob;
		const end = Math.min(size, offset + this.#chunk);
		// Not every registry knows of chunks, and none needs to be told of what is the whole.
		const isWhole = end - offset === size;
		const answer = await this.#place.client.send(place, {
			method: "PATCH",
			headers: {
				"Content-Type": "application/octet-stream",
				"Content-Length": String(end - offset),
				...(isWhole ? {} : { "Content-Range": `${offset}-${end - 1}` }),
			},
			body: () => this.#content(offset, end),
			scopes: this.#scopes,
			expected: [201, 202, 204],
			patience: patienceWith(end - offset),
			once: true,
		});
		const next = headerOf(answer, "location") ?? place;
		return { place: this.#place.client.locate(next, answer.url), offset: end };
	}

	async #finish({ place, offset }: UploadState): Promise<void> {
		const { digest, size } = this.#blob;
		const url = new URL(place);
		// What stands there is the registry's own, and must stay as it is.
		url.search += `${url.search === "" ? "?" : "&"}digest=${encodeURIComponent(digest)}`;
		await this.#place.client.send(url, {
			method: "PUT",
			headers: {
				"Content-Type": "application/octet-stream",
				"Content-Length": String(size - offset),
			},
			...(size > offset ? { body: () => this.#content(offset, size) } : {}),
			scopes: this.#scopes,
			expected: [201, 204],
			patience: patienceWith(size),
			once: true,
		});
	}

	#content(start: number, end: number): Readable {
		const { cache } = this.#place;
		return Readable.from(counted(cache, this.#blob, { start, end }, this.#hooks.onBytes));
	}

	/**
	 * @returns whether it is only worth to go on if the registry has come further than the last time
	 * @throws what cannot be helped
	 */
	async #prepareToGoOn(error: unknown): Promise<boolean> {
		const { client } = this.#place;
		if (error instanceof BrokenConnection) {
			await client.wait(BREATH);
			return true;
		}
		if (!(error instanceof RegistryFailure)) throw error;
		// That upload is not known any more, or is somewhere else.
		if (error.status === 404 || error.status === 416) return true;
		if (error.status === 413) {
			this.#takeSmaller(error);
			return false;
		}
		this.#pauses += 1;
		const delay = this.#pauses > MOST_PAUSES ? undefined : error.delay(this.#pauses);
		if (delay === undefined) throw await this.#refusal(error);
		await client.wait(delay);
		return false;
	}

	#takeSmaller(error: RegistryFailure): void {
		const chunk = CHUNKS.find((bytes) => bytes < Math.min(this.#chunk, this.#blob.size));
		if (chunk === undefined) throw error;
		this.#chunk = chunk;
	}

	/** What the registry says it has; undefined where it does not know that upload. */
	async #ask(place: URL): Promise<UploadState | undefined> {
		const { client } = this.#place;
		try {
			const request = { method: "GET", scopes: this.#scopes, expected: [200, 204] } as const;
			const answer = await client.send(place, request);
			const next = client.locate(headerOf(answer, "location") ?? place, answer.url);
			const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(headerOf(answer, "range") ?? "")?.[1]);
			// "0-0" is what distribution says of nothing.
			const offset = last > 0 ? last + 1 : 0;
			return Number.isNaN(last) || offset > this.#blob.size ? undefined : { place: next, offset };
		} catch (error) {
			if (error instanceof RegistryFailure && error.status !== undefined) return undefined;
			throw error;
		}
	}

	/** A digest that is refused may be the fault of the cache. */
	async #refusal(failure: RegistryFailure): Promise<Error> {
		const { digest } = this.#blob;
		const { cache, signal } = this.#place;
		if (failure.status !== 400) return failure;
		const isRight = (await cache.verify(digest, signal)) !== undefined;
		if (!isRight) return notInCache(digest);
		const { status, hint } = failure;
		return new RegistryFailure(`it refuses blob ${digest}: ${failure.message}`, { status, hint });
	}
}

/** @throws DeliveryError */
async function requireBlob({ digest, size }: Descriptor, cache: BlobCache): Promise<void> {
	const stats = await stat(cache.path(digest)).catch(() => undefined);
	if (stats?.size !== size) throw notInCache(digest);
}

async function* counted(
	cache: BlobCache,
	{ digest }: Descriptor,
	{ start, end }: { readonly start: number; readonly end: number },
	onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer> {
	try {
		for await (const chunk of cache.read(digest, start, end) as AsyncIterable<Buffer>) {
			onBytes(chunk.length);
			yield chunk;
		}
	} catch {
		throw notInCache(digest);
	}
}

function notInCache(digest: Digest): DeliveryError {
	return new DeliveryError(`blob ${digest} is damaged in the image cache, or was removed from it`, {
		hint: "run rbuild again: it comes again",
	});
}
