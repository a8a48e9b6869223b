import { LevelChoice } from "../../context/content/compression-level.js";
import type { ContentChunk } from "../../context/content/content-reader.js";
import { isRoundOver } from "./content-round.js";

/** What leaves no faster than this, in bytes per millisecond, is worth compressing without a trial. */
const SLOW_LINK = 1_000;
/** So much faster it has to be, or the processors have better things to do. */
const WORTHWHILE_GAIN = 1.1;
/** Rounds between two trials of the other way, at first and at last. */
const LEAST_BETWEEN = 8;
const MOST_BETWEEN = 64;

interface Round {
	readonly compressed: boolean;
	readonly level: number;
	inputBytes: number;
	outputBytes: number;
	compressMs: number;
	waitedMs: number;
	elapsedMs: number;
}

/**
 * Whether to compress the content of files, and how hard. That it waits to be taken does not tell a slow
 * link from a daemon that is slow to write many files, and what compressing costs depends on what else
 * keeps the processors busy; so both ways are tried, and what brought more content across goes on. The
 * bytes need not be the same each time: the daemon compares files, not messages.
 */
export class ContentCompression {
	readonly #choice = new LevelChoice();
	/** Bytes of content per millisecond, by whether they were compressed, as far as that was tried. */
	readonly #speeds = new Map<boolean, number>();
	#isOn = true;
	#round: Round | undefined;
	#roundsUntilTrial = 1;
	#roundsBetween = LEAST_BETWEEN;

	/** zlib's, for what is read next; 0 for not to compress it. */
	get level(): number {
		return this.#isOn ? Math.max(1, this.#choice.level) : 0;
	}

	/**
	 * A chunk has been sent.
	 *
	 * @param waitedMs until it was taken
	 * @param elapsedMs since it was wanted: until it was read and compressed, and until it was taken
	 */
	note({ bytes, pieces, compression }: ContentChunk, waitedMs: number, elapsedMs: number): void {
		const level = compression?.level ?? 0;
		// Chunks that were read ahead still come as they were asked for.
		if (level > 0 !== this.#isOn) return;
		if (this.#round?.level !== level) this.#round = startRound(level);
		const round = this.#round;
		for (const { start, end, gzipOf = end - start } of pieces) round.inputBytes += gzipOf;
		round.outputBytes += bytes.length;
		round.compressMs += compression?.durationMs ?? 0;
		round.waitedMs += waitedMs;
		round.elapsedMs += elapsedMs;
		if (!isRoundOver(round.inputBytes, round.elapsedMs)) return;
		this.#round = undefined;
		this.#finish(round);
	}

	#finish(round: Round): void {
		const { compressed, inputBytes, outputBytes, elapsedMs } = round;
		if (compressed) this.#choice.note(round);
		const speed = inputBytes / elapsedMs;
		this.#speeds.set(compressed, ((this.#speeds.get(compressed) ?? speed) + speed) / 2);
		if (outputBytes / elapsedMs < SLOW_LINK) {
			this.#isOn = true;
			return;
		}
		this.#roundsUntilTrial -= 1;
		if (this.#roundsUntilTrial > 0) {
			this.#isOn = this.#pays();
			return;
		}
		this.#isOn = !this.#isOn;
		this.#roundsUntilTrial = this.#roundsBetween;
		this.#roundsBetween = Math.min(2 * this.#roundsBetween, MOST_BETWEEN);
	}

	#pays(): boolean {
		const [compressed = 0, plain = 0] = [this.#speeds.get(true), this.#speeds.get(false)];
		return compressed > plain * WORTHWHILE_GAIN;
	}
}

function startRound(level: number): Round {
	const compressed = level > 0;
	return {
		compressed,
		level,
		inputBytes: 0,
		outputBytes: 0,
		compressMs: 0,
		waitedMs: 0,
		elapsedMs: 0,
	};
}
