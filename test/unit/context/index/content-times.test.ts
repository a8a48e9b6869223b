import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Dating, NO_BUILD_BEFORE } from "../../../../src/context/dating.js";
import { ContentTimes, joinTime, splitTime } from "../../../../src/context/index/content-times.js";

const NOW = 1_700_000_000_500;
const SYNCED = 1_700_000_000_000;
const NONCE = 123_456;
const times = new ContentTimes(NOW, SYNCED, NO_BUILD_BEFORE, NONCE);

describe("the time of a new content", () => {
	it("is the file's own, down to the millisecond, and then random", () => {
		assert.equal(times.of(1_600_000_000_250.75, undefined), 1_600_000_000_250_123_456n);
		assert.equal(times.of(-1, undefined), -1_000_000n + 123_456n);
		const some = Array.from({ length: 20 }, () =>
			new ContentTimes(NOW, SYNCED, NO_BUILD_BEFORE).of(0, undefined),
		);
		assert.ok(new Set(some).size > 1);
		assert.ok(some.every((time) => time >= 0n && time < 1_000_000n));
	});

	it("is now if the file's own is from before what was built from another content", () => {
		const recorded = joinTime(SYNCED - 5_000, 1);
		assert.equal(times.of(SYNCED + 100, recorded), joinTime(SYNCED + 100, NONCE));
		assert.equal(times.of(SYNCED - 100, recorded), joinTime(NOW, NONCE));
		assert.equal(times.of(SYNCED - 6_000, recorded), joinTime(NOW, NONCE));
	});

	it("is now if the file was edited while another content was built from", () => {
		const [from, to] = [SYNCED - 1_000, SYNCED + 300];
		const during: Dating = { from, to, leadMs: 0 };
		const times = new ContentTimes(NOW, SYNCED, during, NONCE);
		const recorded = joinTime(SYNCED - 5_000, 1);
		assert.equal(times.of(to, recorded), joinTime(NOW, NONCE));
		assert.equal(times.of(to + 1, recorded), joinTime(to + 1, NONCE));
		for (const [own, time] of [
			[from - 1, from - 1],
			[from, NOW],
			[to, NOW],
			[to + 1, to + 1],
		] as const) {
			assert.equal(times.of(own, undefined), joinTime(time, NONCE), `${own}`);
		}
	});

	it("is later than that of the content before, whatever the clocks say", () => {
		const ahead = joinTime(NOW + 5_000, 7);
		assert.equal(times.of(SYNCED, ahead), joinTime(NOW + 5_001, NONCE));
		assert.equal(times.of(NOW + 6_000, ahead), joinTime(NOW + 6_000, NONCE));
	});

	it("stays where it was set to the same, and is never that of the other content", () => {
		assert.equal(times.of(5_000, joinTime(5_000, 7)), joinTime(5_000, NONCE));
		fc.assert(
			fc.property(
				fc.nat(2e12),
				fc.nat(2e12),
				fc.nat(999_999),
				fc.nat(999_999),
				(own, before, a, b) => {
					const recorded = joinTime(before, a);
					const time = new ContentTimes(before, SYNCED, NO_BUILD_BEFORE, b).of(own, recorded);
					assert.notEqual(time, recorded);
					const { milliseconds } = splitTime(time);
					assert.ok(milliseconds === own || milliseconds === before + 1);
				},
			),
		);
	});
});

describe("a time", () => {
	it("is put together as it was split", () => {
		fc.assert(
			fc.property(fc.bigInt(-(2n ** 62n), 2n ** 62n), (time) => {
				const { milliseconds, nanoseconds } = splitTime(time);
				assert.ok(nanoseconds >= 0 && nanoseconds < 1_000_000);
				assert.equal(joinTime(milliseconds, nanoseconds), time);
			}),
		);
	});
});
