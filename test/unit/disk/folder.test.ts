import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { makeFolder, makeFolderSync } from "../../../src/disk/folder.js";
import { noPermissions, posixOnly } from "../../support/this-system.js";

const skip = process.platform === "linux" ? false : "there is no /proc";

suite("a folder that is made", () => {
	const root = mkdtempSync(join(tmpdir(), "rbuild-folder-"));
	after(() => rmSync(root, { recursive: true }));

	test("comes with those above it, and tells which is the first", {
		skip: noPermissions,
	}, async () => {
		assert.equal(await makeFolder(join(root, "a/b/c"), 0o700), join(root, "a"));
		assert.ok(statSync(join(root, "a/b/c")).isDirectory());
		assert.equal(statSync(join(root, "a")).mode & 0o777, 0o700);
		assert.equal(await makeFolder(join(root, "a/d")), join(root, "a/d"));
	});

	test("may be there already, also through another who makes it at the same time", async () => {
		assert.equal(await makeFolder(root), undefined);
		const path = join(root, "x/y/z");
		await Promise.all([makeFolder(path), makeFolder(path), makeFolder(path)]);
		assert.ok(statSync(path).isDirectory());
	});

	test("cannot be made below a file", { skip: posixOnly }, async () => {
		writeFileSync(join(root, "file"), "");
		await assert.rejects(makeFolder(join(root, "file")), { code: "EEXIST" });
		await assert.rejects(makeFolder(join(root, "file/below/it")), { code: "ENOTDIR" });
	});

	test("cannot be made where a folder takes no others, which is no reason to try for ever", {
		skip,
	}, async () => {
		await assert.rejects(makeFolder("/proc/rbuild/cache"), { code: "ENOENT" });
	});
});

suite("a folder that is made at once", () => {
	const root = mkdtempSync(join(tmpdir(), "rbuild-folder-"));
	after(() => rmSync(root, { recursive: true }));

	test("comes with those above it, and may be there already", { skip: noPermissions }, () => {
		for (let times = 0; times < 2; times++) makeFolderSync(join(root, "a/b/c"), 0o700);
		assert.ok(statSync(join(root, "a/b/c")).isDirectory());
		assert.equal(statSync(join(root, "a")).mode & 0o777, 0o700);
	});

	test("cannot be made below a file, or a link that leads nowhere", { skip: posixOnly }, () => {
		writeFileSync(join(root, "file"), "");
		symlinkSync("nowhere", join(root, "link"));
		assert.throws(() => makeFolderSync(join(root, "file")), { code: "EEXIST" });
		assert.throws(() => makeFolderSync(join(root, "file/below/it")), { code: "ENOTDIR" });
		assert.throws(() => makeFolderSync(join(root, "link/below")), { code: "EEXIST" });
	});

	test("cannot be made where a folder takes no others, which is no reason to try for ever", {
		skip,
	}, () => {
		assert.throws(() => makeFolderSync("/proc/rbuild/cache"), { code: "ENOENT" });
	});
});
