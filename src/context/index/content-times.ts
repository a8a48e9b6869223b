import { randomInt } from "node:crypto";
import { type Dating, isFromDuringBuild } from "../dating.js";

const NANOSECONDS = 1_000_000;

/**
 * The modification times of new contents in one transfer, in nanoseconds since 1970.
 *
 * A daemon takes a file for the one that it has if size and time are the same. So that no two contents
 * are ever announced as the same, not by two builds at once and not after an index was lost, what is
 * below the millisecond is random, once for each transfer. The second, which is all that a layer keeps,
 * is the file's own.
 *
 * A content that has changed has to be dated after what was built from the one before (see Dating). Where a
 * file's own time can be from before that, as in another clone, after `mv` brought an old file back, or of
 * an edit during a build, the new content is dated now.
 */
export class ContentTimes {
	readonly #now: number;
	readonly #syncedAt: number;
	readonly #dating: Dating;
	readonly #nonce: number;

	/**
	 * @param now milliseconds since 1970, by the clock that is ahead
	 * @param syncedAt when the daemon was last known to be sent something, likewise
	 * @param nonce a number below 1,000,000
	 */
	constructor(now: number, syncedAt: number, dating: Dating, nonce = randomInt(NANOSECONDS)) {
		this.#now = Math.floor(now);
		this.#syncedAt = syncedAt;
		this.#dating = dating;
		this.#nonce = nonce;
	}

	/** When something was last built from the contents before, as far as is known. */
	get #lastUse(): number {
		return Math.max(this.#syncedAt, this.#dating.to);
	}

	/** @param recorded the time of the content that the daemon was last sent under this path */
	of(mtimeMs: number, recorded: bigint | undefined): bigint {
		const own = Math.floor(mtimeMs);
		if (recorded === undefined) {
			return joinTime(isFromDuringBuild(own, this.#dating) ? this.#now : own, this.#nonce);
		}
		const before = splitTime(recorded);
		// Times that were set, such as all to the same: whoever wants that gets it.
		const isKept = own === before.milliseconds;
		const isLater = own > before.milliseconds && own > this.#lastUse;
		const later = Math.max(this.#now, before.milliseconds + 1);
		const milliseconds = isKept || isLater ? own : later;
		const time = joinTime(milliseconds, this.#nonce);
		return time === recorded ? joinTime(milliseconds, this.#nonce ^ 1) : time;
	}
}

/**
 * A time that is made from a content, between 1970 and 2006: for files that no tool sees in a build.
 *
 * @param hash of at least 8 bytes
 */
export function timeOfContent(hash: Buffer): bigint {
	return hash.readBigUInt64LE() >> 4n;
}

/** @param nanoseconds beyond the milliseconds */
export function joinTime(milliseconds: number, nanoseconds: number): bigint {
	return BigInt(milliseconds) * BigInt(NANOSECONDS) + BigInt(nanoseconds);
}

/** Whole milliseconds, and the nanoseconds beyond them. */
export function splitTime(time: bigint): { milliseconds: number; nanoseconds: number } {
	const milliseconds = Number(time / BigInt(NANOSECONDS));
	const nanoseconds = Number(time % BigInt(NANOSECONDS));
	return nanoseconds < 0
		? { milliseconds: milliseconds - 1, nanoseconds: nanoseconds + NANOSECONDS }
		: { milliseconds, nanoseconds };
}
