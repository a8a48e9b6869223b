import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { byteSize, parseBoolean } from "../../../../src/build/plan/go-values.js";

describe("a value as Go's programs read it", () => {
	it("is true or false in six forms each", () => {
		for (const text of ["1", "t", "T", "TRUE", "true", "True"]) {
			assert.equal(parseBoolean(text), true, text);
		}
		for (const text of ["0", "f", "F", "FALSE", "false", "False"]) {
			assert.equal(parseBoolean(text), false, text);
		}
		for (const text of [undefined, "", "fALSE", "tRUE", "yes", "no", " 1", "10"]) {
			assert.equal(parseBoolean(text), undefined, text);
		}
	});

	it("is a size in docker's units, in powers of 1024", () => {
		const sizes = ["1024", "64b", "2k", "64m", "64MB", "1.5g", "1GiB", "2t"];
		assert.deepEqual(sizes.map(byteSize), [
			1024,
			64,
			2048,
			64 << 20,
			64 << 20,
			1.5 * 2 ** 30,
			2 ** 30,
			2 * 2 ** 40,
		]);
		for (const text of ["", "m", "64q", "-1", "1 2", "64mm"]) {
			assert.equal(byteSize(text), undefined, text);
		}
	});
});
