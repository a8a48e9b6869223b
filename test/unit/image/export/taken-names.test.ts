import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { foldsCase, TakenNames } from "../../../../src/image/export/taken-names.js";
import { emptyTree } from "../../context/trees.js";

function collisionsOf(isFolded: boolean, ...paths: string[]) {
	const names = new TakenNames(isFolded);
	for (const path of paths) names.take(path, path);
	return names.collisions;
}

describe("the names that files of a tar get", () => {
	it("collide where the system does not tell them apart", () => {
		const composed = ["caf\u00e9", "cafe\u0301"] as const;
		const paths = ["README", "a/x", "readme", "A/X", ...composed, "a/x"];
		assert.deepEqual(collisionsOf(true, ...paths), [
			{ path: "readme", other: "README" },
			{ path: "A/X", other: "a/x" },
			{ path: composed[1], other: composed[0] },
		]);
		assert.deepEqual(collisionsOf(false, ...paths), []);
	});

	it("are told apart where the folder's own is", (test) => {
		const folder = join(emptyTree(test), ".rbuild-a1.tmp");
		mkdirSync(folder);
		writeFileSync(join(folder, "file"), "");
		writeFileSync(join(folder, "FILE"), "");
		const { length } = readdirSync(folder);
		assert.equal(foldsCase(folder), length === 1);
	});
});
