import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
	comparableName,
	printableJson,
	printableLine,
	printableName,
	printableText,
	withoutControls,
} from "../../src/printable.js";
import { anyCharacter } from "../support/any-character.js";

describe("printable", () => {
	it("drops colours, cursor movements and titles, in their 7-bit and 8-bit forms", () => {
		assert.equal(printableLine("\x1b[1;31mred\x1b[0m \x1b[2K\x1b[3Aup"), "red up");
		assert.equal(
			printableLine("\x1b]0;my title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"),
			"alink",
		);
		assert.equal(printableLine("\x9b31mred\x9d0;title\x9cb\x1bcreset\x1b(B"), "redbreset");
	});

	it("drops what is left of an escape sequence that was cut off", () => {
		assert.equal(printableLine("a\x1b"), "a");
		assert.equal(printableLine("a\x1b[12;"), "a");
		assert.equal(printableLine("a\x1b]52;c;aGk"), "a");
	});

	it("drops bells, backspaces, and the marks that turn the reading order", () => {
		assert.equal(printableLine("a\x07\b\x7f\u202eb\u2066c\u2028d"), "abcd");
	});

	it("puts text after a tab at the next multiple of eight", () => {
		assert.equal(printableLine("ab\tc\t\td"), "ab      c               d");
	});

	it("puts a name of several lines on one", () => {
		assert.equal(printableName("RUN <<EOF\r\n  make\n\nEOF\n"), "RUN <<EOF make EOF");
	});

	it("keeps the lines of a text of several", () => {
		assert.equal(printableText("\x1b[1mone\ttwo\n\n\x9b31mthree\r\n"), "one     two\n\nthree\n");
	});

	it("keeps the tabs of a line whose width nobody knows yet", () => {
		assert.equal(withoutControls("\x1b[1ma\tb\x07\u202e"), "a\tb");
	});

	it("shows that a name hides something", () => {
		assert.equal(comparableName("box\0.example\t\u202e\x1b[2K"), "box?.example???[2K");
	});

	it("escapes in JSON what JSON does not", () => {
		const text = "\x1b[2J\x9b2J\x7f\u2028\u202e\u2066\n";
		const json = printableJson(JSON.stringify({ text }));
		assert.doesNotMatch(json, /[\p{Control}\u2028-\u202e\u2066-\u2069]/u);
		assert.deepEqual(JSON.parse(json), { text });
	});

	it("leaves no control character of any text", () => {
		const piece = fc.oneof(
			fc.string({ unit: anyCharacter }),
			fc.constantFrom("\x1b[", "\x1b]", "\x9b", "\r\n"),
		);
		fc.assert(
			fc.property(fc.array(piece), (pieces) => {
				assert.doesNotMatch(printableLine(pieces.join("")), /\p{Control}/u);
				assert.doesNotMatch(printableName(pieces.join("")), /\p{Control}/u);
				assert.doesNotMatch(comparableName(pieces.join("")), /\p{Control}/u);
				assert.doesNotMatch(printableText(pieces.join("")), /(?!\n)\p{Control}/u);
				assert.doesNotMatch(withoutControls(pieces.join("")), /(?!\t)\p{Control}/u);
				assert.doesNotMatch(printableJson(JSON.stringify(pieces)), /\p{Control}/u);
			}),
		);
	});
});
