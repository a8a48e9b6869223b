import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LiveRegion } from "../../../src/render/live-region.js";
import { FakeScreen, terminalRows } from "./fake-screen.js";

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

	it("takes 80 by 24 where the size is not known", () => {
		const screen = new FakeScreen();
		screen.size = { columns: 0, rows: 0 };
		const region = new LiveRegion(screen);
		assert.deepEqual([region.width, region.height], [79, 23]);
	});
});
