import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DeliveryError } from "../../errors.js";
import type { Digest } from "../digest.js";
import { makeFolder } from "../folder.js";
import { CacheFailure } from "./cache-failure.js";

/**
 * A blob of which a part has come. It has a temporary name until it is committed; disposing of it before
 * that removes it.
 */
export class IncomingBlob implements AsyncDisposable {
	/** Bytes so far. */
	size = 0;
	readonly #hash = createHash("sha256");
	readonly #handle: FileHandle;
	readonly #path: string;
	readonly #placeOf: (digest: Digest) => string;
	#open = true;

	/** @throws CacheFailure */
	static async open(folder: string, placeOf: (digest: Digest) => string): Promise<IncomingBlob> {
		const path = join(folder, randomBytes(12).toString("hex"));
		try {
			await makeFolder(folder, 0o700);
			return new IncomingBlob(await open(path, "wx", 0o600), path, placeOf);
		} catch (error) {
			throw new CacheFailure(path, error);
		}
	}

	private constructor(handle: FileHandle, path: string, placeOf: (digest: Digest) => string) {
		this.#handle = handle;
		this.#path = path;
		this.#placeOf = placeOf;
	}

	/** @throws CacheFailure */
	async append(chunk: Uint8Array): Promise<void> {
		this.#hash.update(chunk);
		this.size += chunk.length;
		try {
			for (let at = 0; at < chunk.length; ) {
				at += (await this.#handle.write(chunk, at, chunk.length - at)).bytesWritten;
			}
		} catch (error) {
			throw new CacheFailure(this.#path, error);
		}
	}

	/**
	 * Gives it the name of its digest, if it has that digest.
	 * @throws DeliveryError that names both digests; CacheFailure
	 */
	async commit(expected: Digest): Promise<void> {
		const actual: Digest = `sha256:${this.#hash.digest("hex")}`;
		if (actual !== expected) {
			throw new DeliveryError(`blob ${expected} came with another content, which is ${actual}`, {
				hint: "was it changed on its way? Can that machine be trusted?",
			});
		}
		await this.#keep(actual);
	}

	/** Gives it the name of whatever digest it has. @throws CacheFailure */
	async commitAsIs(): Promise<Digest> {
		const digest: Digest = `sha256:${this.#hash.digest("hex")}`;
		await this.#keep(digest);
		return digest;
	}

	async #keep(digest: Digest): Promise<void> {
		const place = this.#placeOf(digest);
		try {
			await this.#handle.close();
			await makeFolder(dirname(place), 0o700);
			await rename(this.#path, place);
			this.#open = false;
		} catch (error) {
			throw new CacheFailure(place, error);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (!this.#open) return;
		this.#open = false;
		await this.#handle.close().catch(() => {});
		await unlink(this.#path).catch(() => {});
	}
}
