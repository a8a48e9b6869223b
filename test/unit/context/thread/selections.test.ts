import assert from "node:assert/strict";
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { ContentReader } from "../../../../src/context/content/content-reader.js";
import type { ContextFilter } from "../../../../src/context/entries/context-filter.js";
import { followPaths } from "../../../../src/context/entries/follow-paths.js";
import { selectContext } from "../../../../src/context/thread/selections.js";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import { ContextError } from "../../../../src/errors.js";
import { noPermissions, noSymlinks } from "../../../support/this-system.js";
import { asNobody } from "../nobody.js";
import { emptyTree, walk } from "../trees.js";

function treeOf(test: TestContext, ...files: string[]): SourceTree {
	const root = emptyTree(test);
	for (const name of files) {
		mkdirSync(dirname(join(root, name)), { recursive: true });
		writeFileSync(join(root, name), name);
	}
	return new SourceTree(root, "linux");
}

const EVERYTHING: ContextFilter = { includes: [], excludes: [], followPaths: [] };

function select(tree: SourceTree, filter: Partial<ContextFilter>) {
	return selectContext(tree, { ...EVERYTHING, ...filter }, undefined);
}

const paths = (entries: readonly { readonly path: string }[]) => entries.map(({ path }) => path);

describe("a selection", () => {
	it("has a directory only for what is in it, before the first of that", (test) => {
		const tree = treeOf(test, "a/b/c", "a/d", "e/f/g");
		assert.deepEqual(paths(select(tree, { includes: ["a/b/c"] })), ["a", "a/b", "a/b/c"]);
		assert.deepEqual(paths(select(tree, { includes: ["**/g"] })), ["e", "e/f", "e/f/g"]);
		assert.deepEqual(paths(select(tree, { excludes: ["*", "!e/f/g"] })), ["e", "e/f", "e/f/g"]);
		assert.deepEqual(paths(select(tree, { includes: ["a"], excludes: ["a/b"] })), ["a", "a/d"]);
	});

	it("takes patterns that are negated among the wanted ones", (test) => {
		const tree = treeOf(test, "a/b", "a/c");
		assert.deepEqual(paths(select(tree, { includes: ["a", "!a/b"] })), ["a", "a/c"]);
	});

	it("makes the first name that is selected the file, and the others its links", (test) => {
		const tree = treeOf(test, "a/x", "z");
		for (const name of ["b", "c", "d"]) linkSync(join(tree.root, "a/x"), join(tree.root, name));
		const selected = select(tree, { excludes: ["a", "c"] });
		assert.deepEqual(
			selected.map(({ path, hardlink, size }) => [path, hardlink, size]),
			[
				["b", undefined, 3],
				["d", "b", 3],
				["z", undefined, 1],
			],
		);
		const known = { ...walk(tree.root), ignore: undefined };
		const filter = { includes: ["c", "d", "z"], excludes: [], followPaths: [] };
		assert.deepEqual(selectContext(tree, filter, known), selectContext(tree, filter, undefined));
	});

	it("is the same from a walk that was made before", (test) => {
		const tree = treeOf(test, "a/b/c", "a/b.o", "a/d", "e/f/g", "e/h.o", "i");
		const name = fc.constantFrom(
			"a",
			"b",
			"a/b",
			"*",
			"**/*.o",
			"e/f",
			"e/f/g",
			"!a/b",
			"!**/g",
			"**",
		);
		const rules = fc.array(name, { maxLength: 4 });
		fc.assert(
			fc.property(rules, rules, (excludes, includes) => {
				const ignore = excludes.join("\n");
				const known = {
					...walk(tree.root, ignore),
					ignore: { content: Buffer.from(ignore), file: ".dockerignore" },
				};
				const filter = { excludes, includes, followPaths: [] };
				assert.deepEqual(
					selectContext(tree, filter, known),
					selectContext(tree, filter, undefined),
				);
			}),
			{ numRuns: 200 },
		);
	});

	it("fails for what cannot be read only where that is wanted", { skip: noPermissions }, (test) => {
		const tree = treeOf(test, "open/x", "pkga/x", "pkgb/x");
		chmodSync(join(tree.root, "pkgb"), 0o000);
		asNobody(tree.root, () => {
			const known = { ...walk(tree.root), ignore: undefined };
			const selected = (filter: Partial<ContextFilter>, walked: typeof known | undefined) =>
				paths(selectContext(tree, { ...EVERYTHING, ...filter }, walked));
			for (const walked of [known, undefined]) {
				const select = (filter: Partial<ContextFilter>) => selected(filter, walked);
				assert.deepEqual(select({ followPaths: ["open", "pkga"] }), [
					...["open", "open/x", "pkga", "pkga/x"],
				]);
				assert.deepEqual(select({ includes: ["pkga*/x"] }), ["pkga", "pkga/x"]);
				for (const filter of [
					{},
					{ followPaths: ["pkgb"] },
					{ followPaths: ["pkg*/x"] },
					{ includes: ["**/x"] },
				]) {
					assert.throws(() => select(filter), {
						name: "ContextError",
						message: "cannot read pkgb in the build context: permission denied",
						hint: "make it readable, or list it in .dockerignore",
					});
				}
				assert.throws(
					() => select({ followPaths: ["pkgb/x"] }),
					/^ContextError: cannot read pkgb\/x in the build context: permission denied$/,
				);
			}
			assert.deepEqual(selected({ excludes: ["pkgb"] }, undefined), [
				...["open", "open/x", "pkga", "pkga/x"],
			]);
		});
	});

	it("does not look at what is not wanted", (test) => {
		const tree = treeOf(test, "wanted/file", "locked/file");
		const [wanted] = [select(tree, { followPaths: ["wanted"] })];
		assert.deepEqual(paths(wanted), ["wanted", "wanted/file"]);
		const looked: string[] = [];
		const names = tree.names.bind(tree);
		tree.names = (directory) => {
			looked.push(directory);
			return names(directory);
		};
		select(tree, { followPaths: ["wanted"] });
		assert.deepEqual(looked, ["", "wanted"]);
	});
});

describe("paths to follow", () => {
	it("are themselves, and what the links on them lead to", { skip: noSymlinks }, (test) => {
		const tree = treeOf(test, "real/file", "v1/x", "v2/x");
		const link = (target: string, name: string) => symlinkSync(target, join(tree.root, name));
		link("real", "dir-link");
		link("../v1", "real/up");
		link("/v2", "absolute");
		link("../../../etc", "out");
		link("loop", "loop");
		link("grow/x", "grow");
		const follow = (...wanted: string[]) => followPaths(tree, wanted);
		assert.deepEqual(follow("real/file"), ["real/file"]);
		assert.deepEqual(follow("dir-link/file"), ["dir-link", "real/file"]);
		assert.deepEqual(follow("dir-link/up/x"), ["dir-link", "real/up", "v1/x"]);
		assert.deepEqual(follow("absolute"), ["absolute", "v2"]);
		assert.deepEqual(follow("out/passwd"), ["etc/passwd", "out"]);
		assert.deepEqual(follow("dir-link/a", "dir-link/b"), ["dir-link", "real/a", "real/b"]);
		assert.deepEqual(follow("*-link"), ["*-link", "real"]);
		assert.deepEqual(follow("missing/file"), ["missing/file"]);
		assert.deepEqual(follow("real/file/below"), ["real/file/below"]);
		assert.deepEqual(follow("loop"), ["loop"]);
		assert.ok((follow("grow") ?? []).length < 10);
		assert.equal(follow("real", "."), undefined);
		assert.equal(follow("/"), undefined);
		for (const broken of ["[lo", "real/[", "[z-a]", "[]"]) {
			assert.throws(() => follow(broken), {
				name: "ContextError",
				message: `what the Dockerfile takes: syntax error in the pattern ${broken}`,
			});
		}
	});
});

describe("a content reader", () => {
	it("packs small files together and cuts large ones", (test) => {
		const tree = treeOf(test, "a", "b", "empty");
		writeFileSync(join(tree.root, "empty"), "");
		writeFileSync(join(tree.root, "large"), "x".repeat(150_000));
		const { entries } = walk(tree.root);
		const reader = new ContentReader(tree, entries);
		reader.request([1, 2]);
		reader.request([3, 0]);
		const pieces: [number, number, boolean][] = [];
		for (let chunk = reader.read(); chunk.pieces.length > 0; chunk = reader.read()) {
			for (const { id, start, end, last } of chunk.pieces) pieces.push([id, end - start, last]);
		}
		const ids = new Set(pieces.map(([id]) => id));
		assert.deepEqual([...ids], [1, 2, 3, 0]);
		assert.deepEqual(pieces.slice(0, 2), [
			[1, 1, true],
			[2, 0, true],
		]);
		const large = pieces.filter(([id]) => id === 3);
		assert.equal(
			large.reduce((sum, [, size]) => sum + size, 0),
			150_000,
		);
		assert.deepEqual(
			large.map(([, , last]) => last),
			[...large.slice(1).map(() => false), true],
		);
	});

	it("reads into the memory of an earlier chunk, and gives nothing of what was in it", (test) => {
		const tree = treeOf(test);
		writeFileSync(join(tree.root, "large"), "x".repeat(65_536));
		writeFileSync(join(tree.root, "small"), "y");
		const reader = new ContentReader(tree, walk(tree.root).entries);
		reader.request([0, 1]);
		const { buffer } = reader.read().bytes;
		const { bytes } = reader.read(buffer);
		assert.equal(bytes.buffer, buffer);
		assert.equal(String(bytes), "y");
		reader.request([1]);
		assert.notEqual(reader.read(new ArrayBuffer(16)).bytes.buffer.byteLength, 16);
	});

	it("names a file that cannot be read", { skip: noPermissions }, (test) => {
		const tree = treeOf(test, "secret");
		const { entries } = walk(tree.root);
		chmodSync(join(tree.root, "secret"), 0);
		asNobody(tree.root, () => {
			const reader = new ContentReader(tree, entries);
			reader.request([0]);
			assert.throws(
				() => reader.read(),
				(error) => {
					assert.ok(error instanceof ContextError);
					assert.equal(error.message, "cannot read secret in the build context: permission denied");
					return true;
				},
			);
		});
	});
});
