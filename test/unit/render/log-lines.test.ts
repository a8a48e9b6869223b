import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { LogLines } from "../../../src/render/log-lines.js";

describe("LogLines", () => {
	it("holds a part of a line until its end comes", () => {
		const log = new LogLines();
		assert.deepEqual(log.push("one\ntw"), ["one"]);
		assert.equal(log.partial, "tw");
		assert.deepEqual(log.push("o\n\nthree"), ["two", ""]);
		assert.deepEqual(log.end(), ["three"]);
		assert.deepEqual(log.end(), []);
	});

	it("shows what a carriage return left to be seen", () => {
		const log = new LogLines();
		assert.deepEqual(log.push("10%\r"), []);
		assert.equal(log.partial, "10%");
		assert.deepEqual(log.push("50%\r99%"), []);
		assert.equal(log.partial, "99%");
		assert.deepEqual(log.push("\r100%\r"), []);
		assert.deepEqual(log.push("\nnext\r\n"), ["100%", "next"]);
	});

	it("drops an escape sequence that came in two parts", () => {
		const log = new LogLines();
		log.push("\x1b[3");
		assert.deepEqual(log.push("1mred\x1b[0m\n"), ["red"]);
	});

	it("passes a line on that does not end", () => {
		const log = new LogLines();
		const lines = Array.from({ length: 200 }, () => log.push("x".repeat(1000))).flat();
		assert.ok(lines.length > 0);
		assert.equal([...lines, ...log.end()].join("").length, 200_000);
	});

	it("gives the same lines however the text is cut", () => {
		fc.assert(
			fc.property(
				fc.array(fc.string({ unit: fc.constantFrom("a", "b", "\r", "\n") })),
				(pieces) => {
					const whole = new LogLines();
					const expected = [...whole.push(pieces.join("")), ...whole.end()];
					const cut = new LogLines();
					assert.deepEqual([...pieces.flatMap((piece) => cut.push(piece)), ...cut.end()], expected);
				},
			),
		);
	});
});
