import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlightLimit } from "../../../src/transport/flight-limit.js";

const KIB = 1024;
const WINDOW = 2048 * KIB;

interface Link {
	readonly bytesPerMs: number;
	/** There and back. */
	readonly delayMs: number;
}

/**
 * A sender that always has more to send, to a server that tells of what arrived in steps, as OpenSSH
 * does.
 */
class Flood {
	readonly limit = new FlightLimit();
	readonly #step: number;
	#now = 0;
	#sent = 0;
	#arrived = 0;
	#told = 0;
	readonly #news: { at: number; arrived: number }[] = [];

	constructor(step = 96 * KIB) {
		this.#step = step;
	}

	/** The most that was on its way in the second half of the time. */
	run({ bytesPerMs, delayMs }: Link, forMs: number): number {
		const end = this.#now + forMs;
		let most = 0;
		for (; this.#now < end; this.#now++) {
			this.#arrived = Math.min(this.#sent, this.#arrived + bytesPerMs);
			if (this.#arrived - (this.#news.at(-1)?.arrived ?? this.#told) > this.#step) {
				this.#news.push({ at: this.#now + delayMs, arrived: this.#arrived });
			}
			while ((this.#news[0]?.at ?? end) <= this.#now) {
				this.#told = this.#news.shift()?.arrived ?? this.#told;
			}
			for (let room = this.#room(); room > 0; room = this.#room()) this.#sent += room;
			if (this.#now > end - forMs / 2) most = Math.max(most, this.#sent - this.#told);
		}
		return most;
	}

	#room(): number {
		const window = WINDOW - (this.#sent - this.#told);
		return this.limit.room(this.#sent, this.#told, window, this.#now);
	}
}

describe("the limit of what is on its way", () => {
	const slow = { bytesPerMs: 125, delayMs: 20 };
	const fast = { bytesPerMs: 30_000, delayMs: 50 };

	it("lets a second's worth of a slow link be on its way, and no more", () => {
		const most = new Flood().run(slow, 60_000);
		assert.ok(most <= 192 * KIB, String(most));
	});

	it("lets all be on its way that a fast link takes, or a long one", () => {
		for (const link of [
			fast,
			{ bytesPerMs: 200_000, delayMs: 1 },
			{ bytesPerMs: 10_000, delayMs: 300 },
		]) {
			assert.equal(new Flood().run(link, 5_000), WINDOW, JSON.stringify(link));
		}
	});

	it("follows a link that becomes slow, and one that becomes fast again", () => {
		const flood = new Flood();
		flood.run(fast, 2_000);
		const most = flood.run(slow, 120_000);
		assert.ok(most <= 192 * KIB, String(most));
		assert.equal(flood.run(fast, 5_000), WINDOW);
	});

	it("is not taken in by a server that had told of little when the limit was reached", () => {
		const limit = new FlightLimit();
		// All but the last byte has long arrived; what is told at once says nothing of the link.
		assert.equal(limit.room(128 * KIB, 0, WINDOW, 0), 0);
		assert.equal(limit.room(128 * KIB, 128 * KIB - 1, WINDOW, 1), 128 * KIB - 1);
	});

	it("never lets more be sent than the window takes", () => {
		assert.equal(new FlightLimit().room(0, 0, 24 * KIB, 0), 24 * KIB);
	});

	it("can be widened, for a server that tells of it in larger steps", () => {
		const flood = new Flood(900 * KIB);
		assert.equal(flood.run(slow, 60_000), 128 * KIB);
		for (let times = 0; times < 3; times++) flood.limit.widen();
		assert.equal(flood.run(slow, 60_000), 1024 * KIB);
	});
});
