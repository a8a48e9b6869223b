import { LevelChoice } from "../../context/compression-level.js";
import type { ContentChunk } from "../../context/content-reader.js";

/** Bytes of content after which the level may change. */
const ROUND_BYTES = 256 * 1024;

interface Round {
	readonly level: number;
	inputBytes: number;
	outputBytes: number;
	compressMs: number;
	waitedMs: number;
	elapsedMs: number;
}

/**
 * How hard to compress the content of files, from what the link took so far. The bytes need not be the
 * same each time: the daemon compares files, not messages.
 */
export class ContentCompression {
	readonly #choice: LevelChoice;
	#round: Round | undefined;

	constructor(choice = new LevelChoice()) {
		this.#choice = choice;
	}

	/** zlib's, for what is read next. */
	get level(): number {
		return this.#choice.level;
	}

	/**
	 * A chunk has been sent.
	 *
	 * @param waitedMs until the link took it
	 * @param elapsedMs since the one before, in which the next ones were read and compressed
	 */
	note({ bytes, pieces, compression }: ContentChunk, waitedMs: number, elapsedMs: number): void {
		const level = compression?.level ?? 0;
		if (this.#round?.level !== level) this.#round = startRound(level);
		const round = this.#round;
		for (const { start, end, gzipOf = end - start } of pieces) round.inputBytes += gzipOf;
		round.outputBytes += bytes.length;
		round.compressMs += compression?.durationMs ?? 0;
		round.waitedMs += waitedMs;
		round.elapsedMs += elapsedMs;
		if (round.inputBytes < ROUND_BYTES) return;
		this.#choice.note(round);
		this.#round = undefined;
	}
}

function startRound(level: number): Round {
	return { level, inputBytes: 0, outputBytes: 0, compressMs: 0, waitedMs: 0, elapsedMs: 0 };
}
