import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { collectYoungGarbage } from "../../../../src/cli/process/young-garbage.js";

const MIB = 1024 * 1024;

suite("young garbage", () => {
	test("is collected while nothing else asks for it", async () => {
		using _garbage = collectYoungGarbage();
		await setTimeout(60);
		const before = process.memoryUsage().arrayBuffers;
		for (let count = 0; count < 8; count++) Buffer.alloc(MIB);
		while (process.memoryUsage().arrayBuffers > before + 2 * MIB) await setTimeout(10);
	});

	test("is left alone again afterwards", () => {
		collectYoungGarbage()[Symbol.dispose]();
		assert.equal(typeof (globalThis as { gc?: unknown }).gc, "undefined");
	});
});
