import assert from "node:assert/strict";
import {
	chmodSync,
	cpSync,
	linkSync,
	readFileSync,
	statSync,
	symlinkSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { ContentReader } from "../../../../src/context/content/content-reader.js";
import { NO_BUILD_BEFORE } from "../../../../src/context/dating.js";
import type { ContextFilter } from "../../../../src/context/entries/context-filter.js";
import { walkContext } from "../../../../src/context/entries/walk.js";
import { IgnoreRules } from "../../../../src/context/ignore/ignore-rules.js";
import type { IndexParts } from "../../../../src/context/index/content-index.js";
import { ContextMemory } from "../../../../src/context/index/context-memory.js";
import type { FileState } from "../../../../src/context/tree/file-state.js";
import type { ContextEntry } from "../../../../src/context/tree/manifest.js";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import { ContextError } from "../../../../src/errors.js";
import { noPermissions } from "../../../support/this-system.js";
import { emptyTree } from "../trees.js";

const HEADER = { generation: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) };
const EVERYTHING: ContextFilter = { includes: [], excludes: [], followPaths: [] };

class CountingTree extends SourceTree {
	opens = 0;

	override open(path: string): number {
		this.opens += 1;
		return super.open(path);
	}
}

/** A daemon that knows files by their size, mode and time, as BuildKit's receiver does. */
class FakeBox {
	parts: IndexParts = { base: undefined, delta: undefined };
	readonly #files = new Map<string, { readonly known: string; readonly content: string }>();

	/** @returns the paths of the files whose content was asked for; undefined parts if none were stored */
	sync(root: string, { hashesFile = "", filter = EVERYTHING, beforeReading = () => {} } = {}) {
		const tree = new CountingTree(root, "linux");
		const states = new WeakMap<ContextEntry, FileState>();
		const walk = walkContext(tree, IgnoreRules.none(), new Set(), states);
		const known = { parts: this.parts, ...HEADER, ...(hashesFile === "" ? {} : { hashesFile }) };
		// As if nothing had been edited for a while.
		const lookedAt = Date.now() + 10_000;
		const memory = new ContextMemory(
			{ tree, entries: walk.entries, states, lookedAt },
			known,
			NO_BUILD_BEFORE,
		);
		const contents = memory.announce(walk.entries, filter);
		const announced = contents.announce(0, walk.entries.length);
		beforeReading();
		const reader = new ContentReader(tree, announced, contents);
		const times = new Map<string, bigint>();
		const sent: string[] = [];
		for (const [id, { path, type, size, mode, modTime, hardlink }] of announced.entries()) {
			if (type !== "file") continue;
			times.set(path, modTime as bigint);
			const key = `${size} ${mode} ${modTime} ${hardlink}`;
			if (this.#files.get(path)?.known === key) continue;
			if (hardlink === undefined) {
				reader.request([id]);
				while (!reader.read().pieces.some(({ last }) => last));
				sent.push(path);
			}
			this.#files.set(path, { known: key, content: readFileSync(join(root, path), "utf8") });
		}
		for (const path of [...this.#files.keys()]) if (!times.has(path)) this.#files.delete(path);
		const stored = memory.learn();
		if (stored) this.parts = { base: stored.base ?? this.parts.base, delta: stored.delta };
		return { sent, times, stored: stored !== undefined, opened: tree.opens };
	}

	content(path: string): string | undefined {
		return this.#files.get(path)?.content;
	}
}

function tree(test: TestContext, files: Readonly<Record<string, string>>): string {
	const root = emptyTree(test);
	for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
	return root;
}

function cloneOf(test: TestContext, root: string): string {
	const clone = emptyTree(test);
	cpSync(root, clone, { recursive: true });
	return clone;
}

describe("the memory of a context", () => {
	it("sends and stores nothing of a fresh clone", (test) => {
		const root = tree(test, { a: "1", b: "22", empty: "" });
		const box = new FakeBox();
		const first = box.sync(root);
		assert.deepEqual(first.sent, ["a", "b", "empty"]);
		assert.equal(first.stored, true);
		const second = box.sync(cloneOf(test, root));
		assert.deepEqual([second.sent, second.times, second.stored], [[], first.times, false]);
	});

	it("sends a content that has changed, though size and time have not", (test) => {
		const root = tree(test, { a: "1", b: "2" });
		const box = new FakeBox();
		const hashesFile = join(emptyTree(test), "hashes");
		box.sync(root, { hashesFile });
		assert.deepEqual(box.sync(root, { hashesFile }).sent, []);
		const { mtime } = statSync(join(root, "a"));
		writeFileSync(join(root, "a"), "3");
		utimesSync(join(root, "a"), mtime, mtime);
		assert.deepEqual(box.sync(root, { hashesFile }).sent, ["a"]);
		assert.equal(box.content("a"), "3");
	});

	it("reads no file again whose state has not changed", (test) => {
		const names = Array.from({ length: 100 }, (_, n) => `file-${n}`);
		const root = tree(test, Object.fromEntries(names.map((name) => [name, name])));
		const touch = (name: string) => utimesSync(join(root, name), 0, 0);
		const box = new FakeBox();
		const hashesFile = join(emptyTree(test), "hashes");
		const opened = () => box.sync(root, { hashesFile }).opened;
		opened();
		assert.equal(opened(), 0);
		names.forEach(touch);
		assert.deepEqual([opened(), opened()], [names.length, 0]);
		// And without hashes from before, all.
		assert.equal(box.sync(root).opened, names.length);
	});

	it("reads a few files again rather than write down the hashes of all", (test) => {
		const root = tree(test, { a: "1", b: "2", large: "large".repeat(300_000) });
		const box = new FakeBox();
		const hashesFile = join(emptyTree(test), "hashes");
		const opened = () => box.sync(root, { hashesFile }).opened;
		opened();
		utimesSync(join(root, "a"), 0, 0);
		assert.deepEqual([opened(), opened()], [1, 1]);
		utimesSync(join(root, "large"), 0, 0);
		assert.deepEqual([opened(), opened()], [2, 0]);
	});

	it("never announces two contents as the same, when its index is lost or an old one", (test) => {
		const one = tree(test, { a: "1" });
		const other = tree(test, { a: "2" });
		for (const root of [one, other]) utimesSync(join(root, "a"), 1, 1);
		const box = new FakeBox();
		box.sync(one);
		const old = box.parts;
		for (const parts of [{ base: undefined, delta: undefined }, old, old]) {
			for (const root of [other, one]) {
				box.parts = parts;
				box.sync(root);
				assert.equal(box.content("a"), readFileSync(join(root, "a"), "utf8"));
			}
		}
	});

	it("gives all names of a file the same time, and links and folders their own", (test) => {
		const root = tree(test, { a: "1" });
		linkSync(join(root, "a"), join(root, "b"));
		symlinkSync("a", join(root, "c"));
		const box = new FakeBox();
		const { times } = box.sync(root);
		assert.equal(times.get("a"), times.get("b"));
		const clone = emptyTree(test);
		writeFileSync(join(clone, "a"), "1");
		linkSync(join(clone, "a"), join(clone, "b"));
		const second = box.sync(clone);
		assert.deepEqual([second.sent, second.times, second.stored], [[], times, false]);
	});

	it("dates no name of a file before another content that it was the name of", (test) => {
		const long = new Date(1_500_000_000_000);
		const box = new FakeBox();
		const separate = tree(test, { a: "1", b: "2" });
		utimesSync(join(separate, "a"), long, long);
		const justNow = new Date(Date.now() - 1000);
		utimesSync(join(separate, "b"), justNow, justNow);
		const { times: before } = box.sync(separate);

		const linked = tree(test, { a: "1" });
		linkSync(join(linked, "a"), join(linked, "b"));
		utimesSync(join(linked, "a"), long, long);
		const { sent, times } = box.sync(linked);
		assert.deepEqual(sent, ["a"]);
		assert.ok((times.get("b") as bigint) > (before.get("b") as bigint));
		assert.equal(times.get("a"), times.get("b"));
		const again = emptyTree(test);
		writeFileSync(join(again, "a"), "1");
		linkSync(join(again, "a"), join(again, "b"));
		const second = box.sync(again);
		assert.deepEqual([second.sent, second.times, second.stored], [[], times, false]);

		utimesSync(join(separate, "b"), long, long);
		const { times: after } = box.sync(separate);
		assert.equal(after.get("a"), times.get("a"));
		// Within a millisecond, times are random.
		const milliseconds = (time: bigint | undefined) => (time as bigint) / 1_000_000n;
		assert.ok(milliseconds(after.get("b")) >= milliseconds(times.get("b")));
		assert.notEqual(after.get("b"), times.get("b"));
		assert.deepEqual(box.content("b"), "2");
	});

	it("fails for a file with several names that is not what it was dated as", (test) => {
		const box = new FakeBox();
		const separate = tree(test, { a: "1", b: "1" });
		// Both names get the later time, which the box does not know "a" by.
		const long = new Date(1_500_000_000_000);
		utimesSync(join(separate, "a"), long, long);
		box.sync(separate);
		const linked = tree(test, { a: "1" });
		linkSync(join(linked, "a"), join(linked, "b"));
		const { mtime } = statSync(join(linked, "a"));
		const beforeReading = () => {
			writeFileSync(join(linked, "a"), "2");
			utimesSync(join(linked, "a"), mtime, mtime);
		};
		assert.throws(() => box.sync(linked, { beforeReading }), ContextError);
	});

	it("fails for a file that is not what it was announced as when it is asked for", {
		skip: noPermissions,
	}, (test) => {
		const root = tree(test, { a: "1" });
		const box = new FakeBox();
		box.sync(root);
		// Another mode has the daemon ask for it, and then it is another file of the same size and time.
		chmodSync(join(root, "a"), 0o600);
		const { mtime } = statSync(join(root, "a"));
		utimesSync(join(root, "a"), mtime, mtime);
		const beforeReading = () => {
			writeFileSync(join(root, "a"), "2");
			utimesSync(join(root, "a"), mtime, mtime);
		};
		assert.throws(() => box.sync(root, { beforeReading }), ContextError);
	});

	it("knows the rules by their content, and learns nothing from sending them", (test) => {
		const root = tree(test, { ".dockerignore": "x" });
		const box = new FakeBox();
		const filter = { ...EVERYTHING, followPaths: [".dockerignore"] };
		const first = box.sync(root, { filter });
		assert.deepEqual([first.sent, first.stored], [[".dockerignore"], false]);
		assert.deepEqual(box.sync(cloneOf(test, root), { filter }).sent, []);
		unlinkSync(join(root, ".dockerignore"));
		writeFileSync(join(root, ".dockerignore"), "y");
		assert.deepEqual(box.sync(root, { filter }).sent, [".dockerignore"]);
	});
});
