import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { totalsOf } from "../../../src/context/entries/part-of-context.js";
import { SourceTree } from "../../../src/context/tree/source-tree.js";
import { estimateCompressedSize } from "../../../src/survey/compressed-size.js";
import { emptyTree, pack, walk } from "../context/trees.js";

function estimate(root: string) {
	return estimateCompressedSize(new SourceTree(root, "linux"), walk(root).entries, new Map());
}

describe("the compressed size", () => {
	it("of a small context is that of its tar", (test) => {
		const root = emptyTree(test);
		for (let file = 0; file < 40; file++) {
			writeFileSync(join(root, `file-${file}`), `content ${file} `.repeat(file));
		}
		const { bytes, sampledBytes } = estimate(root);
		const tar = pack(root);
		const actual = gzipSync(tar, { level: 4 }).length;
		assert.ok(Math.abs(bytes - actual) < actual / 10, `${bytes} for ${actual}`);
		assert.equal(sampledBytes, totalsOf(walk(root).entries).bytes);
	});

	it("of a large one weighs what shrinks and what does not by their sizes", (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "text"));
		for (let file = 0; file < 60; file++) {
			writeFileSync(join(root, `text/${file}`), `line ${file}\n`.repeat(8_000));
		}
		writeFileSync(join(root, "noise"), randomBytes(6_000_000));
		const { bytes, sampledBytes } = estimate(root);
		const actual = gzipSync(pack(root), { level: 4 }).length;
		assert.ok(Math.abs(bytes - actual) < actual / 10, `${bytes} for ${actual}`);
		assert.ok(sampledBytes <= 64 * 64 * 1024);
	});

	it("leaves out what has vanished, and of nothing is next to nothing", (test) => {
		const root = emptyTree(test);
		assert.deepEqual(estimate(root), { bytes: 0, sampledBytes: 0 });
		writeFileSync(join(root, "gone"), "x");
		const { entries } = walk(root);
		rmSync(join(root, "gone"));
		const tree = new SourceTree(root, "linux");
		assert.deepEqual(estimateCompressedSize(tree, entries, new Map()), {
			bytes: 0,
			sampledBytes: 0,
		});
	});
});
