import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LiveRegion } from "../../../../src/render/live/live-region.js";
import { FakeScreen } from "../fake-screen.js";
import { FakeTerminal, terminalRows } from "../fake-terminal.js";

describe("LiveRegion", () => {
	it("moves finished lines up and out, and leaves nothing of longer lines behind", () => {
		const screen = new FakeScreen();
		const region = new LiveRegion(screen);
		region.draw([{ text: "a long line" }, { text: "another" }]);
		region.print("done");
		region.draw([{ text: "b" }]);
		assert.deepEqual(terminalRows(screen.err.join("")), ["done", "b"]);
	});

	it("does not clear after a line that fills its row, which would take its last cell away", () => {
		const screen = new FakeScreen();
		screen.size = { columns: 10, rows: 24 };
		const region = new LiveRegion(screen);
		region.print("\x1b[32m0123456789\x1b[39m");
		region.print("012345678");
		region.draw([]);
		assert.ok(screen.err[0]?.includes("9\x1b[39m\n012345678\x1b[K\n"));
	});

	function onTerminal(columns: number) {
		const screen = new FakeScreen();
		screen.size = { columns, rows: 24 };
		const region = new LiveRegion(screen);
		const terminal = new FakeTerminal(columns);
		return {
			region,
			resize(to: number): void {
				screen.size = { columns: to, rows: 24 };
				terminal.resize(to);
			},
			wait(ms: number): void {
				screen.time += ms;
			},
			draw(...texts: readonly string[]): string[] {
				region.draw(texts.map((text) => ({ text })));
				terminal.write(screen.err.splice(0).join(""));
				return terminal.rows;
			},
		};
	}

	it("leaves nothing behind on a terminal that becomes narrower, and wider again", () => {
		const { region, resize, wait, draw } = onTerminal(20);
		const [wide, narrow] = ["0123456789012345678", "012345678"];
		draw(wide, wide, wide);
		region.print("one");
		draw("head 1", wide, wide);
		draw("head 1", wide, wide);
		resize(10);
		draw("head 2");
		wait(300);
		region.print("two");
		const at10 = draw("head 3", narrow, narrow, narrow);
		assert.deepEqual(at10, ["one", "two", "head 3", narrow, narrow, narrow]);
		region.print("three");
		draw("head 4", narrow, narrow, narrow);
		resize(20);
		draw("head 5");
		wait(300);
		assert.deepEqual(draw("head 6", wide), ["one", "two", "three", "head 6", wide]);
	});

	it("leaves nothing behind under a finished line of several rows", () => {
		const { region, resize, wait, draw } = onTerminal(10);
		draw("012345678", "012345678", "012345678");
		region.print("a line of 17 cells");
		assert.deepEqual(draw("b", "c"), ["a line of", "17 cells", "b", "c"]);
		resize(20);
		draw("d");
		wait(300);
		assert.deepEqual(draw("d"), ["a line of 17 cells", "d"]);
	});

	it("draws nothing while the width changes, but goes away at once", () => {
		const { region, resize, wait, draw } = onTerminal(20);
		draw("a");
		resize(19);
		region.print("done");
		assert.deepEqual(draw("b"), ["a"]);
		wait(299);
		resize(18);
		assert.deepEqual(draw("c"), ["a"]);
		wait(299);
		assert.deepEqual(draw("d"), ["a"]);
		wait(1);
		assert.deepEqual(draw("e"), ["done", "e"]);
		resize(17);
		assert.deepEqual(draw(), ["done"]);
	});

	it("keeps out of the history of tmux what was at the top of its screen", () => {
		const screen = new FakeScreen();
		const region = new LiveRegion(screen);
		region.draw([{ text: "a" }]);
		region.print("x".repeat(100));
		region.draw([{ text: "b" }]);
		assert.ok(screen.err[1]?.startsWith("\x1b[?25l\r\x1b[1A\x1b[2K\n\x1b[J\x1b[A"));
	});

	it("takes 80 by 24 where the size is not known", () => {
		const screen = new FakeScreen();
		screen.size = { columns: 0, rows: 0 };
		const region = new LiveRegion(screen);
		assert.deepEqual([region.width, region.height], [79, 23]);
	});
});
