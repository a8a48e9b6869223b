import assert from "node:assert/strict";
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { NotedBuild } from "../../../../src/build/context-index/noted-build.js";
import { emptyTree } from "../../context/trees.js";

const SAME_CLOCK = { clockLeadMs: 0 };

function noteIn(test: TestContext): string {
	return join(emptyTree(test), "last-builds/note");
}

describe("a noted build", () => {
	it("says of the first one that nothing was built before", async (test) => {
		const before = Date.now();
		const { from, to, leadMs } = (await NotedBuild.begin(noteIn(test), 1, SAME_CLOCK)).dating(true);
		assert.deepEqual({ from, leadMs }, { from: Number.POSITIVE_INFINITY, leadMs: 0 });
		assert.ok(to >= before);
	});

	it("knows when the last one began to look at files, and when it ended", async (test) => {
		const note = noteIn(test);
		const first = await NotedBuild.begin(note, 10_000, SAME_CLOCK);
		const before = Date.now();
		await first.succeeded();
		const after = Date.now();
		const second = await NotedBuild.begin(note, 20_000, { clockLeadMs: 5_000_000 });
		const dating = second.dating(true);
		// The clock of files may be two seconds late.
		assert.equal(dating.from, 8_000);
		assert.ok(dating.to >= before + 5_000_000 && dating.to <= after + 5_000_000);
		assert.equal(dating.leadMs, 5_000_000);
		assert.ok(second.dating(false).to >= after + 5_000_000, "somebody else's was later");
	});

	it("takes what failed, or whose end nobody saw, for going on", async (test) => {
		const note = noteIn(test);
		await (await NotedBuild.begin(note, 10_000, SAME_CLOCK)).succeeded();
		await NotedBuild.begin(note, 20_000, SAME_CLOCK);
		const before = Date.now();
		const third = await NotedBuild.begin(note, 30_000, SAME_CLOCK);
		assert.equal(third.dating(true).from, 8_000, "what was edited since the one that succeeded");
		assert.ok(third.dating(true).to >= before);
		await third.succeeded();
		const fourth = await NotedBuild.begin(note, 40_000, SAME_CLOCK);
		assert.equal(fourth.dating(true).from, 28_000);
	});

	it("does without a note that is damaged, or cannot be written", async (test) => {
		const note = noteIn(test);
		await (await NotedBuild.begin(note, 10_000, SAME_CLOCK)).succeeded();
		for (const text of ["", "{", "null", '{"from":"1"}', '{"to":1}']) {
			writeFileSync(note, text);
			const { from } = (await NotedBuild.begin(note, 1, SAME_CLOCK)).dating(true);
			assert.equal(from, Number.POSITIVE_INFINITY, text);
		}
		const noFolder = join(note, "note");
		const build = await NotedBuild.begin(noFolder, 1, SAME_CLOCK);
		assert.equal(build.dating(true).from, Number.POSITIVE_INFINITY);
		await build.succeeded();
	});

	it("forgets, when a context is new, those that nobody builds any more", async (test) => {
		const note = noteIn(test);
		const folder = join(note, "..");
		mkdirSync(folder);
		for (const [name, days] of Object.entries({ old: 91, young: 89 })) {
			const path = join(folder, name);
			writeFileSync(path, "{}");
			const time = Date.now() / 1000 - days * 24 * 3600;
			utimesSync(path, time, time);
		}
		await (await NotedBuild.begin(note, 1, SAME_CLOCK)).succeeded();
		assert.deepEqual(readdirSync(folder).sort(), ["note", "young"]);
	});
});
