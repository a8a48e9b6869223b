import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { keepFile } from "../../../../src/context/tree/cache-files.js";
import { noPermissions } from "../../../support/this-system.js";
import { emptyTree } from "../trees.js";

describe("what a later run may be without", () => {
	it("is written as a whole, for its user alone", { skip: noPermissions }, (test) => {
		const file = join(emptyTree(test), "cache/rbuild/sizes");
		keepFile(file, "first");
		keepFile(file, "second");
		assert.equal(readFileSync(file, "utf8"), "second");
		assert.equal(statSync(file).mode & 0o777, 0o600);
		assert.equal(statSync(dirname(file)).mode & 0o777, 0o700);
		assert.deepEqual(readdirSync(dirname(file)), ["sizes"]);
	});

	const skip = process.platform === "linux" ? false : "there is no /proc";
	it("is not written where no folder can be made, and nobody waits for it", { skip }, () => {
		keepFile("/proc/rbuild/cache/sizes", "content");
	});
});
