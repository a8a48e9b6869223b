import assert from "node:assert/strict";
import { test } from "node:test";
import { pathWithin } from "../../../../src/context/tree/path-within.js";

test("a path is told from the folder that it is in, and of no other", () => {
	assert.equal(pathWithin("/a", "/a"), "");
	assert.equal(pathWithin("/a", "/a/b/c"), "b/c");
	assert.equal(pathWithin("/a", "/a/..data"), "..data");
	for (const outside of ["/", "/b", "/ab", "/a/../b"]) {
		assert.equal(pathWithin("/a", outside), undefined, outside);
	}
});
