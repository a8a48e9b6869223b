import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LogTail } from "../../../src/buildkit/log-tail.js";

function tailOf(...pieces: readonly string[]): readonly string[] {
	const tail = new LogTail();
	for (const piece of pieces) tail.push(piece);
	return tail.lines;
}

describe("the tail of a log", () => {
	it("is the last 15 lines", () => {
		const lines = Array.from({ length: 40 }, (_, at) => `line ${at + 1}`);
		const last = lines.slice(-15);
		assert.deepEqual(tailOf(`${lines.join("\n")}\n`), last);
		assert.deepEqual(tailOf(...lines.map((line) => `${line}\n`)), last);
		assert.deepEqual(tailOf(lines.join("\n")), last, "the last line may lack its end");
	});

	it("joins lines that come in pieces", () => {
		assert.deepEqual(tailOf("on", "e\ntw", "o", "\n", "three"), ["one", "two", "three"]);
	});

	it("keeps empty lines, but not at the end", () => {
		assert.deepEqual(tailOf("\na\n\nb\n\n\n"), ["", "a", "", "b"]);
	});

	it("has no colours, titles, bells or other control characters", () => {
		assert.deepEqual(tailOf("\x1b[31mred\x1b[0m\x07\n\x1b]0;title\x07\u202eplain\x9b2J\x00\n"), [
			"red",
			"plain",
		]);
	});

	it("has what a progress bar showed last", () => {
		assert.deepEqual(tailOf("10%\r50%\r100%\r\nok\r\n"), ["100%", "ok"]);
	});

	it("cuts long lines, in the middle of a stream without line ends too", () => {
		const [line] = tailOf("x".repeat(10_000));
		assert.equal(line, "x".repeat(500));
		const tail = new LogTail();
		for (let i = 0; i < 1000; i++) tail.push("y".repeat(1000));
		assert.deepEqual(tail.lines, ["y".repeat(500)]);
	});

	it("is empty for a step that wrote nothing", () => {
		assert.deepEqual(tailOf(), []);
		assert.deepEqual(tailOf("\n \n"), []);
	});
});
