import { Duplex } from "node:stream";
import { constants, crc32, createDeflateRaw } from "node:zlib";
import { GZIP_HEADER } from "../../gzip-header.js";
import { shrinks } from "./compressible.js";
import { type CompressionRound, LevelChoice } from "./compression-level.js";

/** Bytes of input that are compressed in one way. */
const ROUND_BYTES = 512 * 1024;
/**
 * Bytes of input after which the level may change for the first time, when the buffers on the way (2 MiB of
 * ssh's window, and the network's) are full and show what the link takes. From then on each time is four
 * times as far, so that the same context over the same link comes out as the same bytes: the daemon then
 * finds it in its cache and does not unpack it again.
 */
const FIRST_DECISION_BYTES = 16 * 1024 * 1024;

/**
 * gzip with as much effort as pays: the level follows what the link takes, and what does not shrink is
 * stored. zlib changes the level within one stream, but node lets it do so for raw deflate only; the
 * frame around that is made here.
 */
export class AdaptiveGzip extends Duplex {
	readonly #deflate = createDeflateRaw({ level: 1, chunkSize: 64 * 1024 });
	readonly #choice: LevelChoice;
	#checksum = 0;
	#size = 0;
	#level: number;
	#nextDecision: number;
	#round = startRound(1);
	#waitedMs = 0;
	/** When the output began to wait for its reader. */
	#waitingSince: number | undefined;

	constructor(choice = new LevelChoice(), firstDecisionBytes = FIRST_DECISION_BYTES) {
		super({ readableHighWaterMark: 256 * 1024 });
		this.#choice = choice;
		this.#level = choice.level;
		this.#nextDecision = firstDecisionBytes;
		this.#deflate
			.on("data", (output: Buffer) => this.#emitOutput(output))
			.on("end", () => this.#finish())
			.on("error", (error) => this.destroy(error));
		this.push(GZIP_HEADER);
	}

	/** Bytes that were taken in so far. */
	get inputBytes(): number {
		return this.#size;
	}

	override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
		this.#compress(chunk).then(() => done(), done);
	}

	override _final(done: (error?: Error | null) => void): void {
		this.#deflate.end(done);
	}

	override _read(): void {
		if (this.#waitingSince === undefined) return;
		this.#waitedMs += performance.now() - this.#waitingSince;
		this.#waitingSince = undefined;
		this.#deflate.resume();
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		this.#deflate.destroy();
		done(error);
	}

	async #compress(chunk: Buffer): Promise<void> {
		const { inputBytes } = this.#round;
		if (inputBytes === 0 || inputBytes >= ROUND_BYTES) await this.#nextRound(chunk);
		this.#checksum = crc32(chunk, this.#checksum);
		this.#size += chunk.length;
		const start = performance.now();
		const waitedBefore = this.#waited();
		await new Promise<void>((resolve, reject) =>
			this.#deflate.write(chunk, (error) => (error ? reject(error) : resolve())),
		);
		const waited = this.#waited() - waitedBefore;
		this.#round.inputBytes += chunk.length;
		this.#round.compressMs += performance.now() - start - waited;
	}

	async #nextRound(chunk: Buffer): Promise<void> {
		const { waitedBefore, ...round } = this.#round;
		if (round.outputBytes > 0) {
			const waitedMs = this.#waited() - waitedBefore;
			this.#choice.note({ ...round, waitedMs, elapsedMs: round.compressMs + waitedMs });
		}
		if (this.#size >= this.#nextDecision) {
			this.#level = this.#choice.level;
			this.#nextDecision *= 4;
		}
		const level = shrinks(chunk) ? this.#level : 0;
		this.#round = startRound(level, this.#waited());
		await new Promise<void>((resolve) =>
			this.#deflate.params(level, constants.Z_DEFAULT_STRATEGY, resolve),
		);
	}

	#emitOutput(output: Buffer): void {
		this.#round.outputBytes += output.length;
		if (this.push(output)) return;
		this.#waitingSince ??= performance.now();
		this.#deflate.pause();
	}

	/** RFC 1952, 2.3.1: the checksum, and the size modulo 2^32. */
	#finish(): void {
		const trailer = Buffer.alloc(8);
		trailer.writeUInt32LE(this.#checksum, 0);
		trailer.writeUInt32LE(this.#size % 2 ** 32, 4);
		this.push(trailer);
		this.push(null);
	}

	#waited(): number {
		const current = this.#waitingSince === undefined ? 0 : performance.now() - this.#waitingSince;
		return this.#waitedMs + current;
	}
}

interface OpenRound extends Omit<CompressionRound, "waitedMs" | "elapsedMs"> {
	inputBytes: number;
	outputBytes: number;
	compressMs: number;
	readonly waitedBefore: number;
}

function startRound(level: number, waitedBefore = 0): OpenRound {
	return { level, inputBytes: 0, outputBytes: 0, compressMs: 0, waitedBefore };
}
