import assert from "node:assert/strict";
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { partOfContext, totalsOf } from "../../../../src/context/entries/part-of-context.js";
import { selectContext } from "../../../../src/context/thread/selections.js";
import type { ContextEntry } from "../../../../src/context/tree/manifest.js";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import { noPermissions, noSuchNames, noSymlinks } from "../../../support/this-system.js";
import { asNobody } from "../nobody.js";
import { emptyTree, walk } from "../trees.js";

function treeOf(
	test: TestContext,
	files: readonly string[],
	links: Readonly<Record<string, string>> = {},
): string {
	const root = emptyTree(test);
	const place = (name: string) => {
		mkdirSync(dirname(join(root, name)), { recursive: true });
		return join(root, name);
	};
	for (const name of files) writeFileSync(place(name), name);
	for (const [name, target] of Object.entries(links)) symlinkSync(target, place(name));
	return root;
}

const paths = (entries: readonly ContextEntry[] | undefined) => entries?.map(({ path }) => path);

function part(root: string, ...wanted: string[]) {
	return paths(partOfContext(walk(root), { paths: wanted, always: [] })?.entries);
}

describe("a part of a context", () => {
	it("has what is named, with the folders that it is in", (test) => {
		const root = treeOf(test, ["a/b/c", "a/d", "e/f/g", "h"]);
		assert.deepEqual(part(root, "a/b"), ["a", "a/b", "a/b/c"]);
		assert.deepEqual(part(root, "e/*/g", "h"), ["e", "e/f", "e/f/g", "h"]);
		assert.deepEqual(part(root, "missing"), []);
		assert.equal(part(root, "*"), undefined);
		assert.equal(part(root, "a", ""), undefined);
	});

	it("has what a failing build would stumble over", (test) => {
		const root = treeOf(test, ["a/b", "c/d"]);
		assert.deepEqual(part(root, "a/b/c"), ["a", "a/b"]);
		assert.deepEqual(part(root, "a/missing"), ["a"]);
	});

	it("always has what builders look for", (test) => {
		const context = walk(treeOf(test, ["a", "docker/File[1]", "docker/other"]));
		const wanted = { paths: ["a"], always: ["docker/File[1]", ".dockerignore"] };
		const sent = paths(partOfContext(context, wanted)?.entries);
		assert.deepEqual(sent, ["a", "docker", "docker/File[1]"]);
	});

	it("has what links lead to, on the way and at the end, however they were found", {
		skip: noSymlinks,
	}, (test) => {
		const files = ["real/x/file", "real/other", "v1/y", "v2/z"];
		const links = {
			current: "real",
			"v1/up": "../v2",
			"v2/chain": "/current/x",
			out: "../../../v2",
			loop: "loop",
			dangling: "nowhere",
		};
		const root = treeOf(test, files, links);
		const X = ["real", "real/x", "real/x/file"];
		assert.deepEqual(part(root, "current/x"), ["current", ...X]);
		assert.deepEqual(part(root, "v*/chain"), ["current", ...X, "v2", "v2/chain"]);
		assert.deepEqual(part(root, "out/z"), ["out", "v2", "v2/z"]);
		assert.deepEqual(part(root, "loop", "dangling"), ["dangling", "loop"]);
		assert.deepEqual(part(root, "v1"), ["v1", "v1/up", "v1/y"]);
	});

	it("is everything where names could be taken for patterns, or patterns in two ways", {
		skip: noSuchNames,
	}, (test) => {
		const root = treeOf(test, ["a", "b", "odd*name"]);
		for (const path of ["odd[*]name", "[[:alpha:]]", "[\\]]x", "a["]) {
			assert.equal(part(root, path), undefined, path);
		}
		assert.deepEqual(part(root, "[[a]", "odd[^a]name"), ["a", "odd*name"]);
		symlinkSync("odd*name", join(root, "link"));
		assert.equal(part(root, "a"), undefined);
	});

	it("is everything where a builder that copies reads a pattern in another way than one that asks", (test) => {
		const root = treeOf(test, ["src/app.js", "src/a{2}x", "src/^x", "src/other", "z"]);
		for (const path of ["src/**.js", "src/app**s", "src/a{2}*", "src/^*", "src/|*", "**p?.js"]) {
			assert.equal(part(root, path), undefined, path);
		}
		assert.deepEqual(part(root, "src/a{2}x", "src/^x"), ["src", "src/^x", "src/a{2}x"]);
		assert.deepEqual(part(root, "**/app.js", "src/[^a-z]x"), ["src", "src/^x", "src/app.js"]);
		assert.deepEqual(part(root, "src/app**"), ["src", "src/app.js"]);
	});

	it("takes a backslash before the first wildcard for itself, too", {
		skip: noSuchNames,
	}, (test) => {
		const root = treeOf(test, ["a\\-b/c", "a-b/c", "d"]);
		assert.deepEqual(part(root, "a\\-b/c"), ["a-b", "a-b/c", "a\\-b", "a\\-b/c"]);
		// A regular expression has no such escape.
		assert.equal(part(root, "a\\y"), undefined);
	});

	it("takes names for what they are, with blanks and exclamation marks at their ends", (test) => {
		const root = treeOf(test, ["!a", " b ", "c", "d", "\u0085d"]);
		assert.deepEqual(part(root, "!a", " b "), [" b ", "!a"]);
		assert.deepEqual(part(root, "\u0085d"), ["\u0085d"]);
	});

	it("counts a file with several names once", (test) => {
		const root = treeOf(test, ["a/x", "c"]);
		for (const name of ["b", "d"]) linkSync(join(root, "a/x"), join(root, name));
		const { entries = [] } = partOfContext(walk(root), { paths: ["b", "d"], always: [] }) ?? {};
		assert.deepEqual(
			entries.map(({ path, hardlink }) => [path, hardlink]),
			[
				["b", undefined],
				["d", "b"],
			],
		);
		assert.deepEqual(totalsOf(entries), { files: 2, bytes: 3 });
	});

	describe("of which some cannot be read", { skip: noPermissions }, () => {
		/** What is missing in the part that these paths take, of the unreadable folder "locked/in" and the file "key". */
		function missing(test: TestContext, wanted: readonly string[], always: readonly string[] = []) {
			const files = ["key", "locked/in/x", "open/x", "z/y"];
			const root = treeOf(test, files, { "z/link": "../locked/in/x" });
			for (const name of ["key", "locked/in"]) chmodSync(join(root, name), 0o000);
			let found: string[] | undefined;
			asNobody(root, () => {
				const part = partOfContext(walk(root), { paths: wanted, always });
				found = part?.unreadable.map(({ path }) => path);
			});
			return found;
		}

		it("lacks nothing where that is not taken, though it has everything else", (test) => {
			assert.deepEqual(missing(test, ["open"]), []);
			assert.deepEqual(missing(test, ["o*/x", "lock"]), []);
			assert.deepEqual(missing(test, ["z/y", "*.js"], ["open/x", "z/link"]), ["locked/in"]);
			assert.deepEqual(missing(test, ["z/y", "k"], ["open/x", "z/link", "locked/other"]), []);
		});

		it("lacks what is taken of it, by whatever name", (test) => {
			const lacking = ["locked/in"];
			assert.deepEqual(missing(test, ["locked"]), lacking);
			assert.deepEqual(missing(test, ["locked/in/x"]), lacking);
			assert.deepEqual(missing(test, ["l*/in/x"]), lacking);
			assert.deepEqual(missing(test, ["**/x"]), lacking);
			assert.deepEqual(missing(test, ["z/l*"]), lacking);
			assert.deepEqual(missing(test, ["key"]), ["key"]);
			assert.deepEqual(missing(test, ["k*"]), ["key"]);
			assert.deepEqual(missing(test, ["z/y"], ["locked/in/Dockerfile"]), lacking);
			assert.equal(missing(test, ["*"]), undefined);
		});
	});

	it("is never less than what BuildKit asks its client for", (test) => {
		const files = ["a/b/c", "a/bb", "b/a/c", "b/c", "c/a", "c/b/a"];
		const links = {
			"a/l": "../b",
			"b/l": "/c/b",
			"c/l": "../a/l",
			l: "a/b",
			ll: "l/../../b/l",
			"c/ll": "ll",
		};
		const root = treeOf(test, files, links);
		const context = walk(root);
		const tree = new SourceTree(root, "linux");
		const name = fc.constantFrom("a", "b", "bb", "c", "l", "ll", "*", "?", "[a-c]", "l*", "**");
		const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
		fc.assert(
			fc.property(fc.array(path, { minLength: 1, maxLength: 3 }), (followPaths) => {
				const asked = selectContext(tree, { includes: [], excludes: [], followPaths }, undefined);
				const sent = partOfContext(context, { paths: followPaths, always: [] }) ?? context;
				const names = new Set(paths(sent.entries));
				assert.deepEqual(
					paths(asked)?.filter((path) => !names.has(path)),
					[],
				);
			}),
			{ numRuns: 500 },
		);
	});
});
