import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { namedContextKey } from "../../../../src/build/context-index/context-key.js";
import { emptyTree } from "../../context/trees.js";

const plan = { contextKey: undefined, platform: undefined };

/** The folder "lib" of a clone. */
function clone(test: TestContext): string {
	const root = emptyTree(test);
	mkdirSync(join(root, ".git"));
	mkdirSync(join(root, "lib"));
	writeFileSync(join(root, ".git/config"), '[remote "origin"]\n\turl = git@host:repository.git\n');
	return join(root, "lib");
}

describe("the key of a named directory", () => {
	it("is the same in every clone, and another one by another name or for another platform", async (test) => {
		const lib = await namedContextKey("lib", clone(test), plan);
		assert.equal(lib.name, "host/repository:lib");
		assert.deepEqual(await namedContextKey("lib", clone(test), plan), lib);
		const others = [
			await namedContextKey("src", clone(test), plan),
			await namedContextKey("lib", clone(test), { ...plan, platform: "linux/arm64" }),
			await namedContextKey("lib", emptyTree(test), plan),
		];
		const digests = new Set([lib, ...others].map(({ digest }) => digest.toString("hex")));
		assert.equal(digests.size, 4);
	});

	it("is that of the build context with its name, where a key was given", async (test) => {
		const given = { ...plan, contextKey: "project" };
		const key = await namedContextKey("lib", emptyTree(test), given);
		assert.equal(key.name, "project:lib");
		assert.deepEqual(await namedContextKey("lib", clone(test), given), key);
	});
});
