import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
	isWorthCompressing,
	LevelChoice,
} from "../../../../src/context/content/compression-level.js";

const ROUND = 512 * 1024;

/** What this machine and link do in rounds of text that shrinks to a half; the levels chosen. */
function levels(link: { bytesPerMs: number; zlibSlowness?: number }, rounds = 60): number[] {
	const speeds: Record<number, number> = { 0: 700_000, 1: 90_000, 4: 70_000, 6: 40_000 };
	const choice = new LevelChoice();
	return Array.from({ length: rounds }, () => {
		const { level } = choice;
		const compressMs = (ROUND / (speeds[level] as number)) * (link.zlibSlowness ?? 1);
		const outputBytes = level === 0 ? ROUND : ROUND * (0.5 - level / 100);
		const waitedMs = Math.max(0, outputBytes / link.bytesPerMs - compressMs);
		choice.note({
			level,
			inputBytes: ROUND,
			outputBytes,
			compressMs,
			waitedMs,
			elapsedMs: compressMs + waitedMs,
		});
		return level;
	});
}

const share = (chosen: number[], level: number) =>
	chosen.filter((each) => each === level).length / chosen.length;

describe("the compression level", () => {
	it("starts at 1", () => {
		assert.equal(new LevelChoice().level, 1);
	});

	it("goes up to 6 when the link is slow", () => {
		assert.deepEqual(levels({ bytesPerMs: 1_000 }).slice(-10), Array(10).fill(6));
	});

	it("goes down to 0 when the link takes more than zlib can make", () => {
		assert.deepEqual(levels({ bytesPerMs: 500_000 }).slice(-10), Array(10).fill(0));
	});

	it("stays low on a link in between, and tries a lower one now and then", () => {
		const chosen = levels({ bytesPerMs: 40_000 });
		assert.ok(share(chosen, 1) > 0.8, chosen.join(" "));
	});

	it("comes back from 0 when zlib was slow for a moment only", () => {
		const choice = new LevelChoice();
		const round = { inputBytes: ROUND, outputBytes: ROUND / 2, waitedMs: 0 };
		choice.note({ ...round, level: 1, compressMs: 1_000, elapsedMs: 1_000 });
		const stored = {
			level: 0,
			inputBytes: ROUND,
			outputBytes: ROUND,
			compressMs: 1,
			waitedMs: 50,
			elapsedMs: 51,
		};
		choice.note(stored);
		assert.equal(choice.level, 0);
		for (let count = 0; count < 60; count++) choice.note(stored);
		assert.notEqual(choice.level, 0);
	});

	it("goes down when the processor is slow", () => {
		assert.ok(share(levels({ bytesPerMs: 10_000, zlibSlowness: 20 }), 0) > 0.8);
		assert.ok(share(levels({ bytesPerMs: 10_000 }), 6) > 0.8);
	});
});

it("compression is worth it over a network, and not on this machine", () => {
	assert.equal(isWorthCompressing(0), false);
	assert.equal(isWorthCompressing(0.3), false);
	assert.equal(isWorthCompressing(20), true);
});
