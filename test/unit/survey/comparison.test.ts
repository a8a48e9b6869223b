import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { compareContexts, readEarlierContext } from "../../../src/survey/comparison.js";
import { emptyTree } from "../context/trees.js";

const file = (path: string, size: number) => ({ path, type: "file", size });
const totals = (files: number, bytes: number) => ({ files, bytes }) as never;

describe("a comparison", () => {
	it("tells what is new, what grew or shrank and what is gone", () => {
		const before = [file("same", 1), file("up", 10), file("down", 10), file("gone", 7)];
		const now = [file("same", 1), file("up", 15), file("down", 4), file("new", 3)];
		assert.deepEqual(compareContexts("x", { totals: totals(4, 28), files: before }, now), {
			file: "x",
			before: { files: 4, bytes: 28 },
			added: { files: 1, bytes: 3, largest: [{ path: "new", before: null, after: 3 }] },
			grown: { files: 1, bytes: 5, largest: [{ path: "up", before: 10, after: 15 }] },
			shrunk: { files: 1, bytes: -6, largest: [{ path: "down", before: 10, after: 4 }] },
			removed: { files: 1, bytes: -7, largest: [{ path: "gone", before: 7, after: null }] },
		});
	});

	it("takes no notice of directories, and names the ten largest changes", () => {
		const directory = { path: "d", type: "directory", size: 0 };
		const now = [directory, ...Array.from({ length: 12 }, (_, index) => file(`f${index}`, index))];
		const { added } = compareContexts("x", { totals: totals(0, 0), files: [] }, now);
		assert.equal(added.files, 12);
		assert.deepEqual(
			added.largest.map(({ path }) => path),
			["f11", "f10", "f9", "f8", "f7", "f6", "f5", "f4", "f3", "f2"],
		);
	});
});

describe("an earlier document", () => {
	const refused: readonly (readonly [what: string, content: string, message: RegExp])[] = [
		["no JSON", "{", /^cannot compare with old\.json: it is not JSON$/],
		["another version", '{"version":2}', /it has version 2, and only 1 is supported$/],
		["no version", '{"files":[]}', /it has no version, and only 1 is supported$/],
		["null", "null", /it has no version, and only 1 is supported$/],
		["no totals", '{"version":1,"files":[]}', /it has no list of files$/],
		[
			"files that are none",
			'{"version":1,"totals":{"files":1,"bytes":1},"files":[{"path":1}]}',
			/it has no list of files$/,
		],
	];
	for (const [what, content, message] of refused) {
		it(`with ${what} is refused`, (test) => {
			const path = join(emptyTree(test), "old.json");
			writeFileSync(path, content);
			assert.throws(() => readEarlierContext(path, "old.json"), { name: "UsageError", message });
		});
	}

	it("that is not there is refused", () => {
		assert.throws(() => readEarlierContext("/nonexistent/x", "x"), {
			name: "UsageError",
			message: "cannot compare with x: no such file or directory",
		});
	});
});
