import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { UnfinishedFile } from "../../src/unfinished-file.js";
import { emptyTree } from "./context/trees.js";

describe("an unfinished file", () => {
	it("takes its place when it is committed, as a whole", async (test) => {
		const folder = emptyTree(test);
		const place = join(folder, "file");
		writeFileSync(place, "before");
		{
			await using file = await UnfinishedFile.create(folder, 0o600);
			await file.append(Buffer.from("con"));
			await file.clear();
			await file.append(Buffer.from("new "));
			await file.append(Buffer.from("content"));
			assert.equal(file.length, 11);
			assert.equal(readFileSync(place, "utf8"), "before");
			await file.commit(place);
		}
		assert.equal(readFileSync(place, "utf8"), "new content");
		assert.equal(statSync(place).mode & 0o777, 0o600);
		assert.deepEqual(readdirSync(folder), ["file"]);
	});

	it("leaves nothing where it is not committed, or cannot be", async (test) => {
		const folder = emptyTree(test);
		{
			await using file = await UnfinishedFile.create(folder);
			await file.append(Buffer.from("content"));
		}
		await assert.rejects(async () => {
			await using file = await UnfinishedFile.create(folder);
			await file.commit(join(folder, "none", "file"));
		}, /ENOENT/);
		assert.deepEqual(readdirSync(folder), []);
	});
});
