import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { readGitIndex } from "../../../../src/survey/advice/git-index.js";
import { without } from "../../../support/this-system.js";
import { git, project } from "./projects.js";

const PATHS = [
	"a",
	"dir/a",
	"dir/deep/er/file with blanks",
	"dir-b",
	`long/${"n".repeat(200)}`,
	"é",
];

function repository(test: TestContext, ...init: readonly string[]): string {
	const root = project(test, Object.fromEntries(PATHS.map((path) => [path, path])));
	git(root, "init", "-q", ...init);
	git(root, "add", ".");
	return root;
}

function index(root: string): Buffer {
	return readFileSync(join(root, ".git/index"));
}

function assertRead(root: string, hashBytes = 20): void {
	const tracked = readGitIndex(index(root), hashBytes);
	assert.deepEqual([...(tracked?.files ?? [])].sort(), PATHS.toSorted());
	assert.deepEqual([...(tracked?.directories ?? [])].sort(), [
		"dir",
		"dir/deep",
		"dir/deep/er",
		"long",
	]);
}

describe("the index of git", { skip: without("git") }, () => {
	it("is read in version 2", (test) => {
		const root = repository(test);
		assert.equal(index(root).readUInt32BE(4), 2);
		assertRead(root);
	});

	it("is read in version 3, which a file to be added later makes", (test) => {
		const root = repository(test);
		git(root, "rm", "-q", "--cached", "a");
		git(root, "add", "-N", "a");
		assert.equal(index(root).readUInt32BE(4), 3);
		assertRead(root);
	});

	it("is read in version 4, where names lack what they share", (test) => {
		const root = repository(test);
		git(root, "update-index", "--index-version", "4");
		assert.equal(index(root).readUInt32BE(4), 4);
		assertRead(root);
	});

	it("is read with hashes of 32 bytes", (test) => {
		assertRead(repository(test, "--object-format=sha256"), 32);
	});

	it("tells submodules from files", (test) => {
		const root = repository(test);
		const inner = join(root, "dir/inner");
		git(root, "init", "-q", inner);
		writeFileSync(join(inner, "x"), "");
		git(inner, "add", ".");
		git(inner, "commit", "-qm", "x");
		git(root, "add", "dir/inner");
		const tracked = readGitIndex(index(root), 20);
		assert.deepEqual([...(tracked?.folded ?? [])], ["dir/inner"]);
		assert.equal(tracked?.files.has("dir/inner"), false);
	});

	it("is not made sense of where it is split, or damaged", (test) => {
		const root = repository(test);
		const whole = index(root);
		git(root, "update-index", "--split-index");
		assert.equal(readGitIndex(index(root), 20), undefined);
		for (let length = 0; length < 400; length++) {
			assert.equal(readGitIndex(whole.subarray(0, length), 20), undefined, String(length));
		}
		assert.equal(readGitIndex(Buffer.alloc(100, "x"), 20), undefined);
		rmSync(join(root, ".git"), { recursive: true });
	});
});
