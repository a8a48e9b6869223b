import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { measureDirectories, readContent } from "../../../../src/context/entries/ignored-sizes.js";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import { noPermissions } from "../../../support/this-system.js";
import { asNobody } from "../nobody.js";
import { emptyTree } from "../trees.js";

it("ignored directories are added up, without what cannot be read or is not there", {
	skip: noPermissions,
}, (test) => {
	const root = emptyTree(test);
	mkdirSync(join(root, "a/deep"), { recursive: true });
	mkdirSync(join(root, "a/secret"));
	writeFileSync(join(root, "a/deep/one"), "123");
	writeFileSync(join(root, "a/secret/two"), "12345");
	symlinkSync("/", join(root, "a/link"));
	chmodSync(join(root, "a/secret"), 0o000);
	asNobody(root, () => {
		const tree = new SourceTree(root, "linux");
		const sizes = measureDirectories(["a", "gone"], (path) => readContent(tree, path));
		assert.deepEqual(sizes, { files: 2, bytes: 3 });
	});
});
