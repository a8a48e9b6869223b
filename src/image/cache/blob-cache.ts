import { createHash } from "node:crypto";
import { rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { openKeptFile, readKeptFile } from "../../cache-folder.js";
import { DeliveryError } from "../../errors.js";
import { interrupted } from "../../interruption.js";
import { systemReason } from "../../system-reason.js";
import { type Digest, digestOf, hexOf } from "../manifest/digest.js";
import { CacheFailure } from "./cache-failure.js";
import { IncomingBlob } from "./incoming-blob.js";

/** Of what is read at once. */
const CHUNK_BYTES = 256 * 1024;

/**
 * The layers, configurations and manifests of images that came to this machine, by their digests, so that
 * none comes twice. Many processes may read, write and prune it at the same time: a blob has its name
 * only when all of it is there and its digest is right, and what was used in the last hour is not pruned.
 *
 * Layout: blobs/sha256/AB/ABCDEF…, incoming/RANDOM, images/HEX (see cached-image.ts), pushed.json (see
 * ../registry/mount-hints.ts). A blob's time of modification is when it was last used.
 */
export class BlobCache {
	/** Absolute. */
	readonly folder: string;

	constructor(folder: string) {
		this.folder = folder;
	}

	path(digest: Digest): string {
		const hex = hexOf(digest);
		return join(this.folder, "blobs", "sha256", hex.slice(0, 2), hex);
	}

	/**
	 * Reads a blob that is about to be needed, and marks it as used; a damaged one is removed.
	 * @returns its size; undefined where it is not there or was damaged
	 */
	async use(digest: Digest, signal: AbortSignal): Promise<number | undefined> {
		await this.#touch(digest);
		return this.verify(digest, signal);
	}

	/** As use(), but it does not count as one. */
	async verify(digest: Digest, signal: AbortSignal): Promise<number | undefined> {
		const found = await this.examine(digest, signal).catch((error) => {
			if (signal.aborted) throw error;
			return undefined;
		});
		if (found !== "damaged") return found;
		await this.remove(digest);
		return undefined;
	}

	/**
	 * Reads a blob, and leaves it where it is.
	 * @returns its size
	 * @throws DeliveryError where it is not there, or cannot be read
	 */
	async examine(digest: Digest, signal: AbortSignal): Promise<number | "damaged"> {
		const hash = createHash("sha256");
		let size = 0;
		for await (const chunk of this.read(digest)) {
			if (signal.aborted) throw interrupted(signal);
			hash.update(chunk);
			size += chunk.length;
		}
		return hash.digest("hex") === hexOf(digest) ? size : "damaged";
	}

	/**
	 * @param end the byte after the last one
	 * @throws DeliveryError that names it where it is not there, or cannot be read
	 */
	async *read(
		digest: Digest,
		start = 0,
		end = Number.POSITIVE_INFINITY,
	): AsyncGenerator<Uint8Array> {
		try {
			const file = await openKeptFile(this.path(digest));
			yield* file.createReadStream({ highWaterMark: CHUNK_BYTES, start, end: end - 1 });
		} catch (error) {
			const reason = systemReason(error);
			throw new DeliveryError(`cannot read ${digest} from the image cache: ${reason}`, {
				hint: "was the cache pruned at the same time? Then run rbuild again",
				cause: error,
			});
		}
	}

	/** A small one as a whole; undefined where it is not there or is damaged, and then it is removed. */
	async content(digest: Digest): Promise<Buffer | undefined> {
		const content = await readKeptFile(this.path(digest)).catch(() => undefined);
		if (content === undefined) return undefined;
		if (digestOf(content) === digest) {
			await this.#touch(digest);
			return content;
		}
		await this.remove(digest);
		return undefined;
	}

	/** A place for a blob that is coming. @throws CacheFailure */
	receive(): Promise<IncomingBlob> {
		return IncomingBlob.open({
			waiting: join(this.folder, "incoming"),
			modes: { folder: 0o700, file: 0o600 },
			isDurable: false,
			placeOf: (digest) => this.path(digest),
			failure: (path, error) => new CacheFailure(path, error),
		});
	}

	/** @throws CacheFailure */
	async store(content: Uint8Array): Promise<Digest> {
		const digest = digestOf(content);
		if ((await this.content(digest)) !== undefined) return digest;
		await using incoming = await this.receive();
		await incoming.append(content);
		await incoming.commit();
		return digest;
	}

	async #touch(digest: Digest): Promise<void> {
		const now = new Date();
		await utimes(this.path(digest), now, now).catch(() => {});
	}

	/** @throws CacheFailure */
	async remove(digest: Digest): Promise<void> {
		await rm(this.path(digest), { force: true }).catch((error: unknown) => {
			throw new CacheFailure(this.path(digest), error);
		});
	}
}
