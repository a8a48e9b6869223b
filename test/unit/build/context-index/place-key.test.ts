import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { placeKey } from "../../../../src/build/context-index/place-key.js";
import type { Environment } from "../../../../src/environment.js";

function machine(context: TestContext): Environment {
	const homeDirectory = mkdtempSync(join(tmpdir(), "rbuild-place-"));
	context.after(() => rmSync(homeDirectory, { recursive: true }));
	return at(homeDirectory);
}

function at(homeDirectory: string): Environment {
	return { platform: "linux", homeDirectory, variables: {}, userName: "me", workingDirectory: "/" };
}

suite("the key of a place", () => {
	test("is the same for the same folder of the same user, and else another one", async (context) => {
		const here = machine(context);
		const key = await placeKey("/src", here);
		assert.match(key, /^[0-9a-f]{64}$/);
		assert.equal(await placeKey("/src", here), key);
		assert.notEqual(await placeKey("/other", here), key);
		assert.notEqual(await placeKey("/src", machine(context)), key);
	});

	test("is a new one each time where nothing can be kept", async () => {
		const nowhere = at("/dev/null");
		assert.notEqual(await placeKey("/src", nowhere), await placeKey("/src", nowhere));
	});
});
