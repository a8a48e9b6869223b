import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCount, parseLimit, parseLink } from "../../../../src/cli/context/context-values.js";

describe("the values of the flags of rbuild context", () => {
	it("are the speed of a link, in bits", () => {
		const speeds = ["20mbit", "1.5Gbit/s", "20 Mbps", "56k bit".replace(" ", ""), "9600bit"];
		assert.deepEqual(speeds.map(parseLink), [20e6, 1.5e9, 20e6, 56e3, 9600]);
		for (const text of ["", "20", "20MB", "0mbit", "fast", "-1mbit", "20mbit!"]) {
			assert.throws(() => parseLink(text), { name: "UsageError" }, text);
		}
	});

	it("are sizes as they are shown: powers of 1000, or of 1024 where that is said", () => {
		const sizes = ["50MB", "1.5g", "64MiB", "10", "2 kb", "0"];
		assert.deepEqual(
			sizes.map((text) => parseLimit(text, "--max-size")),
			[50_000_000, 1_500_000_000, 67_108_864, 10, 2_000, 0],
		);
		for (const text of ["", "MB", "-1", "1e3", "1 potato"]) {
			assert.throws(() => parseLimit(text, "--max-size"), /^UsageError: --max-size "/);
		}
	});

	it("are numbers of things", () => {
		assert.equal(parseCount("12", "--top"), 12);
		for (const text of ["", "-1", "1.5", "many"]) {
			assert.throws(() => parseCount(text, "--top"), /^UsageError: --top "/);
		}
	});
});
