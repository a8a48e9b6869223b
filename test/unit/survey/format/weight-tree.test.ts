import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SentPath } from "../../../../src/survey/context-document.js";
import { type WeightNode, weighTree } from "../../../../src/survey/format/weight-tree.js";

const sized = (path: string, size: number, hardlink?: string): SentPath => {
	return { path, type: "file", size, mode: 0o644, ...(hardlink && { hardlink }) };
};
const directory = (path: string): SentPath => ({ path, type: "directory", size: 0, mode: 0o755 });

/** "name bytes/files +hidden [children]" */
function drawn({ name, bytes, files, shown, hidden }: WeightNode): string {
	return `${name} ${bytes}/${files}+${hidden}[${shown.map(drawn).join(" ")}]`;
}

describe("the tree of weights", () => {
	it("adds up what is in directories, however deep, and each inode once", () => {
		const files = [
			directory("a"),
			directory("a/b"),
			directory("a/b/c"),
			sized("a/b/c/d", 5),
			sized("a/b/e", 3),
			sized("a/f", 3, "a/b/e"),
			directory("g"),
		];
		assert.equal(drawn(weighTree(files, 1, 10)), " 8/3+0[a 8/3+2[] g 0/0+0[]]");
		assert.equal(drawn(weighTree(files, 2, 10)), " 8/3+0[a 8/3+0[b 8/2+2[] f 0/1+0[]] g 0/0+0[]]");
	});

	it("has nothing without the directories that it is in, also where all weigh the same", () => {
		const files = [directory("a"), directory("a/b"), sized("a/b/c", 0), sized("d", 0)];
		for (let top = 0; top <= 4; top++) {
			const root = weighTree(files, 3, top);
			const count = (node: WeightNode): number =>
				node.shown.reduce((sum, child) => sum + 1 + count(child), 0);
			assert.equal(count(root), top);
		}
	});
});
