import assert from "node:assert/strict";
import { test } from "node:test";
import { isNullDevice } from "../../../src/disk/replacement-file.js";

test("NUL is a device in every folder of Windows, and a file elsewhere", () => {
	for (const path of ["C:\\work\\NUL", "C:/work/nul", "nul", "\\\\.\\NUL", "\\\\.\\NUL\\"]) {
		assert.ok(isNullDevice(path, "win32"), path);
	}
	for (const path of ["C:\\work\\annul", "C:\\NUL\\image.tar", "C:\\work\\NUL.tar"]) {
		assert.ok(!isNullDevice(path, "win32"), path);
	}
	assert.ok(!isNullDevice("/work/NUL", "linux"));
});
