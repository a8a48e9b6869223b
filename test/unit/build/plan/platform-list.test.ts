import assert from "node:assert/strict";
import { test } from "node:test";
import * as list from "../../../../src/build/plan/platform-list.js";
import { UsageError } from "../../../../src/errors.js";

function platformsOf(option?: list.PlatformOption, variables = {}) {
	return list.platformsOf(option, { variables });
}

function singlePlatform(option?: list.PlatformOption) {
	return list.singlePlatform(option, { variables: {} });
}

test("platforms may be in one text or in several, and each counts once by its usual name", () => {
	assert.deepEqual(platformsOf(), []);
	assert.deepEqual(platformsOf(""), []);
	assert.deepEqual(platformsOf("x86_64, arm64/v8"), ["linux/amd64", "linux/arm64"]);
	assert.deepEqual(platformsOf(["linux/arm64", "aarch64,linux/386"]), ["linux/arm64", "linux/386"]);
	assert.throws(() => platformsOf("linux/amd64,pdp11"), UsageError);
	assert.throws(() => platformsOf("linux/amd64,"), UsageError);
});

test("what is done for one platform alone takes one of them, and names those it was given", () => {
	assert.equal(singlePlatform(), undefined);
	assert.equal(singlePlatform(["linux/amd64", "x86_64"]), "linux/amd64");
	assert.throws(() => singlePlatform("linux/amd64,linux/arm64"), {
		name: "UsageError",
		message: 'only one platform is supported here, not "linux/amd64,linux/arm64"',
	});
});

test("without any, docker's variable says which", () => {
	const variables = { DOCKER_DEFAULT_PLATFORM: "linux/arm64,linux/amd64" };
	assert.deepEqual(platformsOf(undefined, variables), ["linux/arm64", "linux/amd64"]);
	assert.deepEqual(platformsOf("linux/386", variables), ["linux/386"]);
	assert.deepEqual(platformsOf(undefined, { DOCKER_DEFAULT_PLATFORM: "" }), []);
	assert.throws(() => platformsOf(undefined, { DOCKER_DEFAULT_PLATFORM: "amiga" }), {
		name: "UsageError",
		message: 'DOCKER_DEFAULT_PLATFORM "amiga" is not a platform',
	});
});
