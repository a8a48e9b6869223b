import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
	formatBytes,
	formatDuration,
	formatFiles,
	formatRate,
	formatShare,
	shortenDigests,
	shortImageId,
} from "../../../src/render/format.js";

describe("format", () => {
	it("writes sizes in decimal units, as docker does", () => {
		assert.equal(formatBytes(0), "0 B");
		assert.equal(formatBytes(1500), "1.5 kB");
		assert.equal(formatBytes(12_345_678), "12.3 MB");
		assert.equal(formatRate(1_048_576.4), "1.05 MB/s");
	});

	it("writes durations in the unit that fits, and never 60 of one", () => {
		assert.equal(formatDuration(0), "0.0s");
		assert.equal(formatDuration(340), "0.3s");
		assert.equal(formatDuration(12_400), "12.4s");
		assert.equal(formatDuration(59_949), "59.9s");
		assert.equal(formatDuration(59_950), "1m 00s");
		assert.equal(formatDuration(64_000), "1m 04s");
		assert.equal(formatDuration(3_599_499), "59m 59s");
		assert.equal(formatDuration(3_599_500), "1h 00m");
		assert.equal(formatDuration(3_720_000), "1h 02m");
		assert.equal(formatDuration(-5), "0.0s");
	});

	it("counts one file and many", () => {
		assert.equal(formatFiles(1), "1 file");
		assert.equal(formatFiles(12_345), "12,345 files");
	});

	it("tells a share in percent, and as a factor where it is far above", () => {
		assert.equal(formatShare(28, 100), "28%");
		assert.equal(formatShare(1, 1000), "under 1%");
		assert.equal(formatShare(999, 1000), "over 99%");
		assert.equal(formatShare(1000, 1000), "100%");
		assert.equal(formatShare(150, 100), "150%");
		assert.equal(formatShare(250, 100), "2.5x");
		assert.equal(formatShare(20_000, 10), "2,000x");
	});

	it("shortens digests as docker shortens ids", () => {
		const digest = `sha256:${"ab12".repeat(16)}`;
		assert.equal(shortenDigests(`FROM a@${digest} AS b`), "FROM a@sha256:ab12ab12ab12 AS b");
		assert.equal(shortImageId(digest), "ab12ab12ab12");
	});
});
