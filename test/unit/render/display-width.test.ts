import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cutToWidth, displayWidth, shortenMiddle } from "../../../src/render/display-width.js";

describe("display width", () => {
	it("counts cells, not UTF-16 units", () => {
		assert.equal(displayWidth("make"), 4);
		assert.equal(displayWidth("日本語"), 6);
		assert.equal(displayWidth("e\u0301"), 1);
		assert.equal(displayWidth("👩‍👩‍👧🇫🇷"), 4);
		assert.equal(displayWidth("\u200b"), 0);
	});

	it("cuts a line that is too wide and says so", () => {
		assert.equal(cutToWidth("make install", 12), "make install");
		assert.equal(cutToWidth("make install", 11), "make ins...");
		assert.equal(cutToWidth("日本語日本語", 8), "日本...");
		assert.equal(cutToWidth("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 5), "👩‍👩‍👧...");
	});

	it("keeps to the width when there is hardly any", () => {
		assert.equal(cutToWidth("make", 2), "..");
		assert.equal(cutToWidth("make", 0), "");
	});

	it("leaves both ends of what is shortened in the middle", () => {
		assert.equal(shortenMiddle("src/main.ts", 11), "src/main.ts");
		assert.equal(shortenMiddle("src/main.ts", 10), "src/....ts");
		assert.equal(shortenMiddle("src/main.ts", 9), "src....ts");
		assert.equal(shortenMiddle("日本語日本語.ts", 11), "日本....ts");
		assert.equal(shortenMiddle("src/main.ts", 2), "...");
	});

	it("cuts a line of megabytes", () => {
		assert.equal(cutToWidth("é".repeat(5_000_000), 6), "ééé...");
	});
});
