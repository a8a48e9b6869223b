import assert from "node:assert/strict";
import { test } from "node:test";
import { normalizePlatform, runsNatively } from "../../../src/engine/platforms.js";

test("every spelling of a platform becomes one", () => {
	const spellings: Record<string, string[]> = {
		"linux/amd64": ["amd64", "x86_64", "x86-64", "linux/amd64", "Linux/AMD64", "linux/amd64/v1"],
		"linux/amd64/v2": ["amd64/v2", "linux/amd64/v2", "linux/x86_64/2"],
		"linux/arm64": ["arm64", "aarch64", "arm64/v8", "linux/arm64/v8", "linux/arm64/8"],
		"linux/arm64/v9": ["linux/arm64/v9", "linux/arm64/9.0"],
		"linux/arm/v7": ["arm", "linux/arm", "armhf", "armv7l", "arm/7", "linux/arm/v7"],
		"linux/arm/v6": ["armel", "linux/arm/v6", "linux/arm/6", "linux/armv6l"],
		"linux/386": ["386", "i386", "linux/i386"],
		"linux/s390x": ["s390x", "linux/s390x"],
		"windows/amd64": ["windows/amd64"],
		"darwin/arm64": ["macos/arm64"],
		"linux/pdp11": ["linux/pdp11"],
	};
	for (const [platform, others] of Object.entries(spellings)) {
		for (const spelling of others) {
			assert.equal(normalizePlatform(spelling), platform, spelling);
		}
	}
});

test("an operating system alone is taken for that of amd64", () => {
	assert.equal(normalizePlatform("linux"), "linux/amd64");
	assert.equal(normalizePlatform("windows"), "windows/amd64");
});

test("what is no platform is a usage error that says how to write one", () => {
	for (const wrong of [
		"",
		"x86",
		"linux/",
		"linux/amd64/v1/x",
		"linux amd64",
		"pdp11",
		"amd64/v2/x",
		"*",
	]) {
		assert.throws(() => normalizePlatform(wrong), {
			name: "UsageError",
			message: `--platform "${wrong}" is not a platform`,
			hint: 'write it as os/architecture, such as "linux/amd64" or "linux/arm64"',
		});
	}
});

test("a machine runs its own architecture, at every level, and 386 on amd64", () => {
	for (const [wanted, machine] of [
		["linux/amd64", "linux/amd64"],
		["linux/amd64/v3", "linux/amd64"],
		["linux/386", "linux/amd64"],
		["linux/arm64", "linux/arm64"],
		["linux/arm64/v9", "linux/arm64"],
		["linux/arm/v6", "linux/arm/v7"],
		["linux/arm/v7", "linux/arm/v7"],
	] as const) {
		assert.equal(runsNatively(wanted, machine), true, `${wanted} on ${machine}`);
	}
});

test("anything else would be emulated", () => {
	for (const [wanted, machine] of [
		["linux/arm64", "linux/amd64"],
		["linux/amd64", "linux/arm64"],
		["linux/386", "linux/arm64"],
		["linux/amd64", "linux/386"],
		["linux/arm/v7", "linux/arm64"],
		["linux/arm/v8", "linux/arm/v7"],
		["windows/amd64", "linux/amd64"],
	] as const) {
		assert.equal(runsNatively(wanted, machine), false, `${wanted} on ${machine}`);
	}
});
