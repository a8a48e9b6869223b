import assert from "node:assert/strict";
import { test } from "node:test";
import { platformsOf, singlePlatform } from "../../../../src/build/platforms/platform-list.js";
import { UsageError } from "../../../../src/errors.js";

test("platforms may be in one text or in several, and each counts once by its usual name", () => {
	assert.deepEqual(platformsOf(undefined), []);
	assert.deepEqual(platformsOf(""), []);
	assert.deepEqual(platformsOf("x86_64, arm64/v8"), ["linux/amd64", "linux/arm64"]);
	assert.deepEqual(platformsOf(["linux/arm64", "aarch64,linux/386"]), ["linux/arm64", "linux/386"]);
	assert.throws(() => platformsOf("linux/amd64,pdp11"), UsageError);
	assert.throws(() => platformsOf("linux/amd64,"), UsageError);
});

test("what is done for one platform alone takes one of them, and names those it was given", () => {
	assert.equal(singlePlatform(undefined), undefined);
	assert.equal(singlePlatform(["linux/amd64", "x86_64"]), "linux/amd64");
	assert.throws(() => singlePlatform("linux/amd64,linux/arm64"), {
		name: "UsageError",
		message: 'one platform at a time: "linux/amd64,linux/arm64" is several',
	});
});
