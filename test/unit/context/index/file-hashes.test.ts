import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { FileHashes, type HashedFile } from "../../../../src/context/index/file-hashes.js";
import type { ContextEntry } from "../../../../src/context/tree/manifest.js";
import { emptyTree } from "../trees.js";

const LOOKED_AT = 1_700_000_010_000;
const STATE = { device: 1, inode: 2, changedMs: 1_700_000_000_000.25 };
const ENTRY: ContextEntry = { path: "a", type: "file", size: 3, mode: 0o644, mtimeMs: 5.5 };
const HASH = Buffer.alloc(20, 7);
const FILE: HashedFile = { path: "a", size: 3, mtimeMs: 5.5, state: STATE, hash: HASH };

function kept(file: string, files: Iterable<HashedFile>): FileHashes {
	new FileHashes(file).replace(files, LOOKED_AT);
	return new FileHashes(file);
}

describe("the hashes of files", () => {
	it("are certain for a file in the very state in which it was hashed", (test) => {
		const hashes = kept(join(emptyTree(test), "hashes"), [FILE]);
		assert.deepEqual(hashes.finder()(ENTRY, STATE), HASH);
		for (const entry of [{ size: 4 }, { mtimeMs: 5.25 }, { path: "b" }]) {
			assert.equal(hashes.finder()({ ...ENTRY, ...entry }, STATE), undefined);
		}
		for (const state of [{ device: 2 }, { inode: 3 }, { changedMs: STATE.changedMs + 0.25 }]) {
			assert.equal(hashes.finder()(ENTRY, { ...STATE, ...state }), undefined);
		}
	});

	it("are not kept where a change could hide: too short before the look, in the future, without a ctime", (test) => {
		const file = join(emptyTree(test), "hashes");
		for (const changedMs of [LOOKED_AT - 1999, LOOKED_AT, LOOKED_AT + 1e6, 0, -1]) {
			const state = { ...STATE, changedMs };
			assert.equal(kept(file, [{ ...FILE, state }]).finder()(ENTRY, state), undefined);
		}
		const state = { ...STATE, changedMs: LOOKED_AT - 2000 };
		assert.deepEqual(kept(file, [{ ...FILE, state }]).finder()(ENTRY, state), HASH);
	});

	it("are forgotten when their file is lost or damaged", (test) => {
		const file = join(emptyTree(test), "hashes");
		kept(file, [FILE]);
		const content = readFileSync(file);
		for (let at = 0; at < content.length; at++) {
			const damaged = Buffer.from(content);
			damaged[at] = (damaged[at] as number) ^ 1;
			writeFileSync(file, damaged);
			assert.equal(new FileHashes(file).finder()(ENTRY, STATE), undefined, `byte ${at}`);
		}
		writeFileSync(file, "");
		assert.equal(new FileHashes(file).finder()(ENTRY, STATE), undefined);
	});

	it("leave nothing behind where they cannot be written", (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "file"), "");
		kept(join(root, "file", "hashes"), [FILE]);
		assert.deepEqual(readdirSync(root), ["file"]);
		assert.equal(existsSync(join(root, "file", "hashes")), false);
	});
});
