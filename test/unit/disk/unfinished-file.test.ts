import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import {
	removeAbandoned,
	temporaryPath,
	UnfinishedFile,
} from "../../../src/disk/unfinished-file.js";
import { noPermissions } from "../../support/this-system.js";
import { emptyTree } from "../context/trees.js";

describe("an unfinished file", () => {
	it("takes its place when it is committed, as a whole", { skip: noPermissions }, async (test) => {
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

	it("is removed a day after its process was killed, and nothing else is", async (test) => {
		const folder = emptyTree(test);
		const [file, tree] = [temporaryPath(folder), temporaryPath(folder)];
		writeFileSync(file, "");
		mkdirSync(join(tree, "in", "it"), { recursive: true });
		const fresh = temporaryPath(folder);
		writeFileSync(fresh, "");
		const mine = [".rbuild-mine.tmp", ".rbuild-0123456789ab.tmp.txt", "image.tar"];
		for (const name of mine) writeFileSync(join(folder, name), "");
		const yesterday = Date.now() / 1000 - 25 * 3600;
		for (const name of [file, tree, ...mine.map((name) => join(folder, name))]) {
			utimesSync(name, yesterday, yesterday);
		}
		await removeAbandoned(folder);
		assert.deepEqual(readdirSync(folder).sort(), [...mine, basename(fresh)].sort());
		await removeAbandoned(join(folder, "none"));
	});
});
