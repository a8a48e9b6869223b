import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readIgnoreFile } from "../../../../src/context/ignore/ignore-file.js";
import { ContextError } from "../../../../src/errors.js";

describe("an ignore file", () => {
	it("states a rule a line, with its line and what was written", () => {
		assert.deepEqual(readIgnoreFile("# all\n\n  a/./b/ \n!c\n", "f"), [
			{ line: 3, text: "a/./b/", negated: false, pattern: "a/b" },
			{ line: 4, text: "!c", negated: true, pattern: "c" },
		]);
	});

	it("may be bytes or text, end without a newline, or be empty", () => {
		assert.deepEqual(patterns(Buffer.from("é\nb")), ["é", "b"]);
		assert.deepEqual(patterns("é\nb"), ["é", "b"]);
		assert.deepEqual(patterns(""), []);
	});

	it("keeps bytes that are not UTF-8 apart", () => {
		assert.deepEqual(patterns(Buffer.of(0x61, 0xe9, 0x0a, 0xc3)), ["a\udce9", "\udcc3"]);
	});

	it("may start with a byte order mark, which is a character anywhere else", () => {
		assert.deepEqual(patterns("\ufeff# comment\n\ufeff# pattern\n"), ["\ufeff# pattern"]);
		assert.deepEqual(patterns("\ufeff\ufeffa"), ["\ufeffa"]);
	});

	it("has comments only at the very start of a line", () => {
		assert.deepEqual(patterns("#a\n #b\na #c"), ["#b", "a #c"]);
	});

	it("may have what Unicode calls white space around a rule, but not zero-width space", () => {
		assert.deepEqual(patterns("a\r\n\t b\v\f\n\u0085c\u00a0\n\u3000d\u2028"), ["a", "b", "c", "d"]);
		assert.deepEqual(patterns("\u200ba\n\ufeffb"), ["\u200ba", "\ufeffb"]);
		assert.deepEqual(patterns(Buffer.of(0x61, 0x85)), ["a\udc85"]);
	});

	it("has patterns cleaned as paths of the context", () => {
		assert.deepEqual(patterns("/a\n//a//b/\n./a\na/../b\n../a\n.\n/\n/.."), [
			...["a", "a/b", "a", "b", "../a", ".", "/", "/"],
		]);
		assert.deepEqual(patterns("! /a/\n!!a\n!."), ["!a", "!!a", "!."]);
	});

	it("is trimmed and cleaned a second time, as docker's client does it", () => {
		assert.deepEqual(patterns("/ a\n/ !a\n/ /.\n! / a"), ["a", "!a", "! a"]);
	});

	for (const text of ["!", "! ", "!/", "!/ /.", "/ !"]) {
		it(`refuses ${JSON.stringify(text)}, which negates nothing`, () => {
			assert.throws(() => readIgnoreFile(`a\n\n${text}\n`, "x.dockerignore"), {
				name: "ContextError",
				message: /^x\.dockerignore:3: .* has no pattern after the "!"$/,
			});
		});
	}

	it("refuses a line of 64 KiB, in bytes", () => {
		const longest = "é".repeat(32_767);
		assert.deepEqual(patterns(`a\n${longest}b\n`), ["a", `${longest}b`]);
		assert.throws(
			() => readIgnoreFile(`a\n${longest}bc\n`, "f"),
			(error) =>
				error instanceof ContextError && error.message.startsWith("f:2: the line is longer"),
		);
	});
});

function patterns(content: Uint8Array | string): string[] {
	const lines = readIgnoreFile(content, ".dockerignore");
	return lines.map(({ negated, pattern }) => (negated ? `!${pattern}` : pattern));
}
