import { createHash, type Hash, hash } from "node:crypto";
import { HASH_BYTES } from "./content-index.js";

/** The hash of a content that comes in parts. */
export class ContentDigest {
	readonly #size: number;
	#whole: Buffer | undefined;
	#parts: Hash | undefined;

	/** @param size bytes that will come */
	constructor(size: number) {
		this.#size = size;
	}

	update(bytes: Uint8Array): void {
		// Most files come as a whole. A Hash for each of them is memory outside of the heap that piles up.
		if (bytes.length === this.#size) {
			this.#whole = hash("sha256", bytes, "buffer");
			return;
		}
		this.#parts ??= createHash("sha256");
		this.#parts.update(bytes);
	}

	/** HASH_BYTES; can be asked for once. */
	get hash(): Buffer {
		const digest = this.#whole ?? this.#parts?.digest() ?? EMPTY;
		return digest.subarray(0, HASH_BYTES);
	}
}

const EMPTY = createHash("sha256").digest();
