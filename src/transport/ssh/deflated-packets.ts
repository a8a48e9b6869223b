import { constants, deflateRawSync } from "node:zlib";

/** RFC 1950, 2.2: deflate, a window of 32 KiB, the fastest level, and a checksum of the two. */
const ZLIB_HEADER = Uint8Array.of(0x78, 0x01);
/** RFC 1951, 3.2.4: a type of block, LEN and its complement. */
const STORED_HEADER_BYTES = 5;
const LONGEST_STORED_BLOCK = 0xffff;
const WINDOW_BYTES = 32 * 1024;
/** What is shorter does not shrink. */
const LEAST_BYTES = 128;

const NOTHING = Buffer.alloc(0);

/** What compression has done so far. */
export class CompressionWork {
	/** Bytes that did not have to be sent. */
	savedBytes = 0;
	/** Milliseconds. */
	durationMs = 0;
}

/**
 * The stream of "zlib@openssh.com" (RFC 4253, 6.2), one piece for each packet: compressed where that was
 * asked for and helps, else stored, which costs five bytes and nothing else.
 *
 * Each piece ends at a byte (Z_SYNC_FLUSH) and refers to what came before it as far as a run of
 * compressed pieces goes, so the two kinds may alternate.
 */
export class DeflatedPackets {
	/** zlib's level from now on; 0 to store. */
	level = 0;
	readonly #work: CompressionWork;
	#begun = false;
	/** The end of what was compressed in a row. */
	#window: Buffer = NOTHING;

	/** @param work is added to */
	constructor(work: CompressionWork) {
		this.#work = work;
	}

	/** So many bytes more than a payload has may be needed to store it. */
	get overhead(): number {
		return STORED_HEADER_BYTES + (this.#begun ? 0 : ZLIB_HEADER.length);
	}

	/** What stands for a payload; undefined where it is to be stored. */
	compress(payload: Buffer): Buffer | undefined {
		const storable = payload.length <= LONGEST_STORED_BLOCK;
		if (storable && (this.level === 0 || payload.length < LEAST_BYTES)) return undefined;
		const startedAt = performance.now();
		const piece = deflateRawSync(payload, {
			level: this.level,
			finishFlush: constants.Z_SYNC_FLUSH,
			...(this.#window.length > 0 && { dictionary: this.#window }),
		});
		this.#work.durationMs += performance.now() - startedAt;
		this.#work.savedBytes += Math.max(0, payload.length - piece.length);
		if (storable && piece.length > payload.length) return undefined;
		const last = payload.length < WINDOW_BYTES ? Buffer.concat([this.#window, payload]) : payload;
		this.#window = last.subarray(-WINDOW_BYTES);
		return this.#begin(piece);
	}

	/** Writes what goes before a payload that is stored, of `overhead` bytes. */
	store(into: Buffer, at: number, length: number): void {
		let next = at;
		if (!this.#begun) {
			into.set(ZLIB_HEADER, next);
			next += ZLIB_HEADER.length;
		}
		this.#begun = true;
		this.#window = NOTHING;
		into[next] = 0;
		into.writeUInt16LE(length, next + 1);
		into.writeUInt16LE(~length & 0xffff, next + 3);
	}

	#begin(piece: Buffer): Buffer {
		if (this.#begun) return piece;
		this.#begun = true;
		return Buffer.concat([ZLIB_HEADER, piece]);
	}
}
