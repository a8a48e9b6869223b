import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { DeliveryError } from "../../errors.js";
import type { BlobCache } from "../cache/blob-cache.js";
import type { IncomingBlob } from "../cache/incoming-blob.js";
import type { Digest } from "../manifest/digest.js";
import type { PushContents } from "./push-contents.js";

/** Uploads that may be open at once. */
const MOST_UPLOADS = 64;

/** Blobs on their way into the cache. Disposing of it removes those that have not come to their end. */
export class BlobUploads implements AsyncDisposable {
	readonly #cache: BlobCache;
	readonly #contents: PushContents;
	readonly #onBytes: (bytes: number) => void;
	readonly #open = new Map<string, IncomingBlob>();
	#isOver = false;

	/** @param onBytes told of the bytes of all blobs that came so far */
	constructor(cache: BlobCache, contents: PushContents, onBytes: (bytes: number) => void) {
		this.#cache = cache;
		this.#contents = contents;
		this.#onBytes = onBytes;
	}

	/** @returns its id. @throws DeliveryError */
	async start(): Promise<string> {
		if (this.#open.size >= MOST_UPLOADS) {
			throw new DeliveryError(`the daemon pushes more than ${MOST_UPLOADS} blobs at once`);
		}
		const id = randomBytes(16).toString("hex");
		const blob = await this.#cache.receive();
		// The connection may have been lost meanwhile.
		if (this.#isOver) {
			await blob[Symbol.asyncDispose]();
			throw new DeliveryError("the daemon pushes a blob after its push has ended");
		}
		this.#open.set(id, blob);
		return id;
	}

	/**
	 * Where the content breaks off, the upload is given up: the daemon begins another one.
	 *
	 * @returns the bytes that the blob then has; undefined where there is no such upload
	 * @throws DeliveryError when it is too much; CacheFailure; what the request fails with
	 */
	async append(id: string, content: IncomingMessage): Promise<number | undefined> {
		const blob = this.#open.get(id);
		if (blob === undefined) return undefined;
		try {
			for await (const chunk of content as AsyncIterable<Buffer>) {
				this.#contents.take(chunk.length);
				await blob.append(chunk);
				this.#onBytes(this.#contents.received);
			}
			return blob.length;
		} catch (error) {
			await this.cancel(id);
			throw error;
		}
	}

	/** @throws DeliveryError for another content; CacheFailure */
	async finish(id: string, digest: Digest): Promise<void> {
		const blob = this.#open.get(id);
		if (blob === undefined) return;
		this.#open.delete(id);
		await using incoming = blob;
		await this.#contents.commit(incoming, digest);
	}

	async cancel(id: string): Promise<void> {
		const blob = this.#open.get(id);
		if (blob === undefined) return;
		this.#open.delete(id);
		this.#contents.giveBack(blob.length);
		await blob[Symbol.asyncDispose]();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#isOver = true;
		for (const id of [...this.#open.keys()]) await this.cancel(id);
	}
}
