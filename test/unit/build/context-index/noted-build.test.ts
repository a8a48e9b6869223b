import assert from "node:assert/strict";
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type BuildNotes, NotedBuild } from "../../../../src/build/context-index/noted-build.js";
import { emptyTree } from "../../context/trees.js";

const HOUR = 3_600_000;

function notesIn(test: TestContext): BuildNotes {
	const folder = join(emptyTree(test), "last-builds");
	return { seen: join(folder, "directory"), ended: join(folder, "context") };
}

function begin(notes: BuildNotes, lookedAt: number, clockLeadMs = 0): Promise<NotedBuild> {
	return NotedBuild.begin(notes, lookedAt, { clockLeadMs });
}

describe("a noted build", () => {
	it("says of the first one that nothing was built before", async (test) => {
		const before = Date.now();
		const { from, to, leadMs } = (await begin(notesIn(test), 1)).dating(true);
		assert.deepEqual({ from, leadMs }, { from: Number.POSITIVE_INFINITY, leadMs: 0 });
		assert.ok(to >= before);
	});

	it("knows when the last one began to look at files, and when it ended", async (test) => {
		const notes = notesIn(test);
		const first = await begin(notes, 10_000);
		const before = Date.now();
		await first.succeeded();
		const after = Date.now();
		const second = await begin(notes, 20_000, HOUR);
		const dating = second.dating(true);
		// The clock of files may be two seconds late.
		assert.equal(dating.from, 8_000);
		assert.ok(dating.to >= before + HOUR && dating.to <= after + HOUR);
		assert.equal(dating.leadMs, HOUR);
		assert.ok(second.dating(false).to >= after + HOUR, "another machine's was later");
	});

	it("takes what failed, or whose end nobody saw, for going on", async (test) => {
		const notes = notesIn(test);
		await (await begin(notes, 10_000)).succeeded();
		await begin(notes, 20_000);
		const before = Date.now();
		const third = await begin(notes, 30_000);
		assert.equal(third.dating(true).from, 8_000, "what was edited since the one that succeeded");
		assert.ok(third.dating(true).to >= before);
		await third.succeeded();
		assert.equal((await begin(notes, 40_000)).dating(true).from, 28_000);
	});

	it("knows the end of one from another clone, and what is edited in each", async (test) => {
		const notes = notesIn(test);
		const other = { ...notes, seen: `${notes.seen} of another clone` };
		await (await begin(notes, 10_000)).succeeded();
		const between = Date.now();
		const first = (await begin(other, 20_000)).dating(true);
		assert.equal(first.from, Number.POSITIVE_INFINITY);
		assert.ok(first.to <= between);
		await (await begin(other, 30_000)).succeeded();
		const again = (await begin(notes, 40_000)).dating(true);
		assert.equal(again.from, 8_000);
		assert.ok(again.to >= between);
	});

	it("does without notes that are damaged, or cannot be written", async (test) => {
		const notes = notesIn(test);
		await (await begin(notes, 10_000)).succeeded();
		for (const text of ["", "{", "null", '"1"', "[]"]) {
			for (const path of Object.values(notes)) writeFileSync(path, text);
			const before = Date.now();
			const { from, to } = (await begin(notes, 1)).dating(true);
			assert.equal(from, Number.POSITIVE_INFINITY, text);
			assert.ok(to >= before, text);
		}
		const noFolder = join(notes.seen, "none");
		const build = await begin({ seen: noFolder, ended: noFolder }, 1);
		assert.equal(build.dating(true).from, Number.POSITIVE_INFINITY);
		await build.succeeded();
	});

	it("forgets, when a directory is new, those that nobody builds any more", async (test) => {
		const notes = notesIn(test);
		const folder = join(notes.seen, "..");
		mkdirSync(folder);
		for (const [name, days] of Object.entries({ old: 91, young: 89 })) {
			const path = join(folder, name);
			writeFileSync(path, "1");
			const time = Date.now() / 1000 - days * 24 * 3600;
			utimesSync(path, time, time);
		}
		await (await begin(notes, 1)).succeeded();
		assert.deepEqual(readdirSync(folder).sort(), ["context", "directory", "young"]);
	});
});
