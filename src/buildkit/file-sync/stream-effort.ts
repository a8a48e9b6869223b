import { isRoundOver } from "./content-round.js";

const FAST = 1;
const THOROUGH = 6;
/** The share of the time in zlib above which the link could take more than it is given. */
const BUSY = 0.75;
/** And below which there is time for the thorough level, which takes three times as long. */
const IDLE = 0.1;
/** The same for the thorough level itself. */
const HURRIED = 0.4;
/** What has to be saved, as a share of the content. */
const WORTHWHILE = 0.05;
/** So much faster than without compression has to be what goes with it. */
const FASTER = 1.1;
/** What gets across faster without compression, in bytes per millisecond, would not do so much better with it. */
const FAST_LINK = 20_000;
/** Rounds without compression before it is tried again, at first and at last. */
const LEAST_REST = 8;
const MOST_REST = 32;
/** Rounds with it before it is given up: buffers that fill, or a busy moment, make a single one look bad. */
const LEAST_ROUNDS = 2;

/** A piece of content that has been handed to a stream. */
interface StreamedContent {
	readonly bytes: number;
	/** Bytes of these that did not have to be sent. */
	readonly savedBytes: number;
	/** Milliseconds in zlib. */
	readonly compressMs: number;
	/** Milliseconds since it was wanted. */
	readonly elapsedMs: number;
}

/**
 * How hard to compress a stream of contents, as it goes: as long as zlib is not what takes the time, something
 * shrinks, and more content gets across than without.
 */
export class StreamEffort {
	#level: number;
	#round = newRound();
	/** Of the rounds since compression began, the later the more. */
	#compressed: StreamedContent = newRound();
	#rounds = 0;
	#rest = LEAST_REST;
	#nextRest = LEAST_REST;
	/** Bytes of content per millisecond without compression, as far as that was tried. */
	#plainSpeed = 0;

	/**
	 * @param isFar whether the link is taken for slow until it shows what it takes, as one over many miles,
	 *   or for fast
	 */
	constructor(isFar: boolean) {
		this.#level = isFar ? FAST : 0;
	}

	/** zlib's, for what is sent next; 0 for not to compress it. */
	get level(): number {
		return this.#level;
	}

	note(content: StreamedContent): void {
		const round = this.#round;
		round.bytes += content.bytes;
		round.savedBytes += content.savedBytes;
		round.compressMs += content.compressMs;
		round.elapsedMs += content.elapsedMs;
		if (!isRoundOver(round.bytes, round.elapsedMs)) return;
		this.#round = newRound();
		this.#level = this.#nextLevel(round);
	}

	#nextLevel(round: StreamedContent): number {
		if (this.#level === 0) return this.#levelAfterPlain(round.bytes / round.elapsedMs);
		this.#compressed = fadedSum(this.#compressed, round);
		this.#rounds += 1;
		const { bytes, savedBytes, compressMs, elapsedMs } = this.#compressed;
		const share = compressMs / elapsedMs;
		const isFaster = bytes / elapsedMs > FASTER * this.#plainSpeed;
		if (share > BUSY || savedBytes < WORTHWHILE * bytes || !isFaster) {
			if (this.#rounds < LEAST_ROUNDS) return FAST;
			this.#rest = this.#nextRest;
			this.#nextRest = Math.min(2 * this.#nextRest, MOST_REST);
			return 0;
		}
		this.#nextRest = LEAST_REST;
		if (this.#level === THOROUGH) return share > HURRIED ? FAST : THOROUGH;
		return share < IDLE ? THOROUGH : FAST;
	}

	#levelAfterPlain(speed: number): number {
		this.#plainSpeed = this.#plainSpeed === 0 ? speed : (this.#plainSpeed + speed) / 2;
		if (speed > FAST_LINK) return 0;
		this.#rest -= 1;
		if (this.#rest > 0) return 0;
		this.#compressed = newRound();
		this.#rounds = 0;
		return FAST;
	}
}

function fadedSum(before: StreamedContent, round: StreamedContent): StreamedContent {
	return {
		bytes: before.bytes / 2 + round.bytes,
		savedBytes: before.savedBytes / 2 + round.savedBytes,
		compressMs: before.compressMs / 2 + round.compressMs,
		elapsedMs: before.elapsedMs / 2 + round.elapsedMs,
	};
}

function newRound() {
	return { bytes: 0, savedBytes: 0, compressMs: 0, elapsedMs: 0 };
}
