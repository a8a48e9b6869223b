import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { systemReason } from "../../src/system-reason.js";
import { posixOnly } from "../support/this-system.js";

test("why the system refuses something is told in words", { skip: posixOnly }, () => {
	const reasonOf = (path: string) => {
		try {
			return readFileSync(path, "utf8");
		} catch (error) {
			return systemReason(error);
		}
	};
	assert.equal(reasonOf("/nonexistent/file"), "no such file or directory");
	assert.equal(reasonOf("/"), "it is a directory");
	assert.equal(reasonOf("/dev/null/file"), "part of the path is a file, not a folder");
	assert.equal(systemReason({ code: "EIO" }), "i/o error");
	assert.equal(systemReason({ code: "EDQUOT" }), "disk quota exceeded");
});

test("and where there are none, by its code or in the words of the error", () => {
	assert.equal(systemReason({ code: "UND_ERR_CONNECT_TIMEOUT" }), "UND_ERR_CONNECT_TIMEOUT");
	assert.equal(systemReason(new Error("gone")), "gone");
	assert.equal(systemReason("gone"), "gone");
	assert.equal(
		systemReason(Object.assign(new Error("too many logins"), { code: 2 })),
		"too many logins",
	);
	const ended = Object.assign(new Error("write after end"), { code: "ERR_STREAM_WRITE_AFTER_END" });
	assert.equal(systemReason(ended), "write after end");
});
