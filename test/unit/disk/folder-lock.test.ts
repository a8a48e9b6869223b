import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { lockFolder } from "../../../src/disk/folder-lock.js";
import { emptyTree } from "../context/trees.js";

describe("the lock of a folder", () => {
	it("is held by one at a time", async (test) => {
		const folder = emptyTree(test);
		let holders = 0;
		const hold = async () => {
			await using _lock = await lockFolder(folder);
			holders += 1;
			assert.equal(holders, 1);
			await new Promise(setImmediate);
			holders -= 1;
		};
		await Promise.all([hold(), hold(), hold()]);
		assert.deepEqual(readdirSync(folder), []);
	});

	it("is taken from a process that was killed", async (test) => {
		const folder = emptyTree(test);
		mkdirSync(join(folder, ".rbuild-000000000000.tmp"));
		await using _lock = await lockFolder(folder, 1);
	});

	it("cannot be had where nothing can be written", async () => {
		await assert.rejects(lockFolder("/nowhere"), { code: "ENOENT" });
	});
});
