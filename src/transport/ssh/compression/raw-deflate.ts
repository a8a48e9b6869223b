import { constants, createInflate, inflateRawSync } from "node:zlib";

/** What node's own streams of zlib stand on; it has no types and no promise to stay. */
interface Handle {
	init(
		windowBits: number,
		level: number,
		memLevel: number,
		strategy: number,
		writeState: Uint32Array,
		onAsyncWrite: () => void,
		dictionary: undefined,
	): void;
	params(level: number, strategy: number): void;
	reset(): void;
	writeSync(
		flush: number,
		input: Uint8Array,
		inputAt: number,
		inputLength: number,
		output: Uint8Array,
		outputAt: number,
		outputLength: number,
	): void;
	onerror(message: string): void;
}

const FASTEST = 1;

/**
 * Deflate (RFC 1951) as one stream, piece by piece, each at once and at its own level. Node's streams give
 * their output later, and each call of its synchronous functions makes a zlib of 260 KB anew: a quarter
 * more time, and garbage that outgrows all else where 20,000 files are thousands of packets.
 *
 * Stands on what ssh2's own compression stands on (lib/protocol/zlib.js in 1.17).
 */
export class RawDeflate {
	readonly #handle: Handle;
	/** Bytes of the output and of the input that the last write has left. */
	readonly #left = new Uint32Array(2);
	readonly #output: Buffer;
	#level = FASTEST;
	#hasHistory = false;
	#failure: string | undefined;

	private constructor(handle: Handle, longestOutput: number) {
		this.#handle = handle;
		this.#output = Buffer.allocUnsafe(longestOutput);
		handle.onerror = (message) => {
			this.#failure = message;
		};
		const { Z_DEFAULT_WINDOWBITS, Z_DEFAULT_MEMLEVEL, Z_DEFAULT_STRATEGY } = constants;
		handle.init(
			Z_DEFAULT_WINDOWBITS,
			FASTEST,
			Z_DEFAULT_MEMLEVEL,
			Z_DEFAULT_STRATEGY,
			this.#left,
			() => {},
			undefined,
		);
	}

	/**
	 * @param longestOutput of one piece, in bytes
	 * @returns undefined for a node in which what this stands on is not found
	 */
	static open(longestOutput: number): RawDeflate | undefined {
		try {
			const inflate = createInflate() as unknown as { _handle: Handle; close(): void };
			const Zlib = inflate._handle.constructor as new (mode: number) => Handle;
			inflate.close();
			const deflate = new RawDeflate(new Zlib(constants.DEFLATERAW), longestOutput);
			return deflate.#works() ? deflate : undefined;
		} catch {
			return undefined;
		}
	}

	/**
	 * @param level of zlib, from 1
	 * @returns ends at a byte (Z_SYNC_FLUSH), may refer to the pieces before, and is valid until the next
	 *   call; undefined, and what came before is forgotten, where the piece does not shrink
	 */
	compress(piece: Uint8Array, level: number): Uint8Array | undefined {
		const room = Math.min(piece.length, this.#output.length);
		// Nothing waits in zlib after a flush, so it takes another level without writing anything.
		if (level !== this.#level) this.#handle.params(level, constants.Z_DEFAULT_STRATEGY);
		this.#level = level;
		this.#hasHistory = true;
		const { Z_SYNC_FLUSH } = constants;
		this.#handle.writeSync(Z_SYNC_FLUSH, piece, 0, piece.length, this.#output, 0, room);
		if (this.#failure !== undefined) throw new Error(`zlib: ${this.#failure}`);
		const [roomLeft = 0] = this.#left;
		if (roomLeft > 0) return this.#output.subarray(0, room - roomLeft);
		this.forget();
		return undefined;
	}

	/** To be called where something else comes between two pieces. */
	forget(): void {
		if (this.#hasHistory) this.#handle.reset();
		this.#hasHistory = false;
	}

	#works(): boolean {
		const zeros = new Uint8Array(64);
		const piece = this.compress(zeros, FASTEST);
		if (piece === undefined) return false;
		const unpacked = inflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH });
		this.forget();
		return unpacked.equals(zeros);
	}
}
