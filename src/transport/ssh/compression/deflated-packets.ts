import type { RawDeflate } from "./raw-deflate.js";

/** RFC 1950, 2.2: deflate, a window of 32 KiB, the fastest level, and a checksum of the two. */
const ZLIB_HEADER = Uint8Array.of(0x78, 0x01);
/** RFC 1951, 3.2.4: a type of block, LEN and its complement. */
const STORED_HEADER_BYTES = 5;
const LONGEST_STORED_BLOCK = 0xffff;
/** What is shorter does not shrink. */
const LEAST_BYTES = 128;

const NOTHING = new Uint8Array();

/** What compression has done so far. */
export class CompressionWork {
	/** Bytes that did not have to be sent. */
	savedBytes = 0;
	/** Milliseconds. */
	durationMs = 0;
	#taken = 0;

	/** As in StreamCompression. */
	takeSaved(most: number): number {
		const taken = Math.min(most, this.savedBytes - this.#taken);
		this.#taken += taken;
		return taken;
	}
}

/**
 * The stream of "zlib@openssh.com" (RFC 4253, 6.2), one piece for each packet: compressed where that was
 * asked for and helps, else stored, which costs five bytes and nothing else.
 */
export class DeflatedPackets {
	/** zlib's level from now on; 0 to store. */
	level = 0;
	readonly #deflate: RawDeflate;
	readonly #work: CompressionWork;
	#begun = false;

	/**
	 * @param deflate of this stream alone
	 * @param work is added to
	 */
	constructor(deflate: RawDeflate, work: CompressionWork) {
		this.#deflate = deflate;
		this.#work = work;
	}

	/**
	 * The next piece of the stream.
	 *
	 * @param alloc gives the room for so many bytes
	 * @param at where in it the piece begins
	 * @returns what alloc has given
	 */
	write(payload: Uint8Array, alloc: (length: number) => Buffer, at: number): Buffer {
		const header = this.#begun ? NOTHING : ZLIB_HEADER;
		this.#begun = true;
		const piece = this.#compressed(payload);
		const packet = alloc(header.length + (piece?.length ?? storedLength(payload)));
		packet.set(header, at);
		if (piece === undefined) store(payload, packet, at + header.length);
		else packet.set(piece, at + header.length);
		return packet;
	}

	#compressed(payload: Uint8Array): Uint8Array | undefined {
		if (this.level === 0 || payload.length < LEAST_BYTES) {
			this.#deflate.forget();
			return undefined;
		}
		const startedAt = performance.now();
		const piece = this.#deflate.compress(payload, this.level);
		this.#work.durationMs += performance.now() - startedAt;
		if (piece !== undefined) this.#work.savedBytes += payload.length - piece.length;
		return piece;
	}
}

function storedLength({ length }: Uint8Array): number {
	return length + STORED_HEADER_BYTES * Math.ceil(length / LONGEST_STORED_BLOCK);
}

function store(payload: Uint8Array, into: Buffer, at: number): void {
	let next = at;
	for (let start = 0; start < payload.length; start += LONGEST_STORED_BLOCK) {
		const block = payload.subarray(start, start + LONGEST_STORED_BLOCK);
		into[next] = 0;
		into.writeUInt16LE(block.length, next + 1);
		into.writeUInt16LE(~block.length & 0xffff, next + 3);
		into.set(block, next + STORED_HEADER_BYTES);
		next += STORED_HEADER_BYTES + block.length;
	}
}
