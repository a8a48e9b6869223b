import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hangingLines } from "../../../src/render/rows.js";

const lines = (start: string, text: string, width: number, indent: number) =>
	hangingLines(start, text.split(" "), { width, indent });

describe("hanging lines", () => {
	it("go on below where the words began", () => {
		assert.deepEqual(lines("label  ", "some more words", 16, 7), [
			"label  some more",
			"       words",
		]);
	});

	it("count cells", () => {
		assert.deepEqual(lines("  ", "日本 日本 日本", 11, 4), ["  日本 日本", "    日本"]);
	});

	it("go on further left where a word is too long, so that it stays whole", () => {
		assert.deepEqual(lines("label  ", "a SHA256:0123456 b", 18, 7), [
			"label  a",
			"    SHA256:0123456",
			"    b",
		]);
	});

	it("leave a word that is longer than a line to the terminal, on a line of its own", () => {
		assert.deepEqual(lines("  ", "add 0123456789abcdef now", 12, 4), [
			"  add",
			"    0123456789abcdef",
			"    now",
		]);
		assert.deepEqual(lines("  ", "0123456789abcdef", 12, 4), ["  0123456789abcdef"]);
	});

	it("are as long as they are where there is no width, blanks and all", () => {
		assert.deepEqual(lines("  ", "a  b ", Number.POSITIVE_INFINITY, 4), ["  a  b "]);
	});

	it("do not begin with the gap that was before a word", () => {
		assert.deepEqual(lines("", "name  (rule)", 6, 2), ["name", "  (rule)"]);
		assert.deepEqual(lines("", "names  (rule)", 5, 2), ["names", "  (rule)"]);
	});
});
