import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkWritable, isNullDevice, replaceFile } from "../../../src/disk/replacement-file.js";
import { noSymlinks } from "../../support/this-system.js";

test("a file is made where a link to nothing leads, and the link stays", {
	skip: noSymlinks,
}, async (t) => {
	const folder = mkdtempSync(join(tmpdir(), "rbuild-replacement-"));
	t.after(() => rmSync(folder, { recursive: true }));
	mkdirSync(join(folder, "a/b"), { recursive: true });
	symlinkSync("a/b", join(folder, "linked"));
	symlinkSync("../next", join(folder, "a/b/link"));
	symlinkSync("file", join(folder, "a/next"));
	const link = join(folder, "linked/link");
	for (const content of ["made", "replaced"]) {
		await checkWritable(link);
		await replaceFile(link, content);
		assert.equal(readFileSync(join(folder, "a/file"), "utf8"), content);
		assert.deepEqual(
			["a/b/link", "a/next"].map((name) => readlinkSync(join(folder, name))),
			["../next", "file"],
		);
	}
	symlinkSync("missing/file", join(folder, "astray"));
	const failure = /^DeliveryError: cannot save to .*astray: its folder does not exist$/;
	await assert.rejects(checkWritable(join(folder, "astray")), failure);
	await assert.rejects(replaceFile(join(folder, "astray"), ""), failure);
});

test("NUL is a device in every folder of Windows, and a file elsewhere", () => {
	for (const path of ["C:\\work\\NUL", "C:/work/nul", "nul", "\\\\.\\NUL", "\\\\.\\NUL\\"]) {
		assert.ok(isNullDevice(path, "win32"), path);
	}
	for (const path of ["C:\\work\\annul", "C:\\NUL\\image.tar", "C:\\work\\NUL.tar"]) {
		assert.ok(!isNullDevice(path, "win32"), path);
	}
	assert.ok(!isNullDevice("/work/NUL", "linux"));
});
