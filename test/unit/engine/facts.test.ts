import assert from "node:assert/strict";
import { test } from "node:test";
import { engineFacts, parseVersion } from "../../../src/engine/facts.js";

// What the daemons answered, cut down to the fields that are read.
const DOCKER_28 = {
	Components: [{ Name: "Engine" }, { Name: "containerd" }],
	Version: "28.5.2",
	ApiVersion: "1.51",
	MinAPIVersion: "1.24",
	Os: "linux",
	Arch: "amd64",
};
const PODMAN_5 = {
	Components: [{ Name: "Podman Engine" }, { Name: "Conmon" }],
	Version: "5.8.6",
	ApiVersion: "1.44",
	MinAPIVersion: "1.24",
	Os: "linux",
	Arch: "arm64",
};

const facts = (ping: Record<string, string>, document: object) => {
	const version = parseVersion(document);
	assert.ok(version);
	return engineFacts(ping, version, "ssh://x86box");
};

test("Docker with BuildKit says so in Builder-Version", () => {
	assert.deepEqual(facts({ "api-version": "1.51", "builder-version": "2" }, DOCKER_28), {
		product: "docker",
		version: "28.5.2",
		apiVersion: "1.51",
		platform: "linux/amd64",
		builder: "buildkit",
	});
});

test("Podman is known by its first component, and is classic whatever it says", () => {
	for (const builder of ["1", "2"]) {
		assert.deepEqual(facts({ "api-version": "1.44", "builder-version": builder }, PODMAN_5), {
			product: "podman",
			version: "5.8.6",
			apiVersion: "1.44",
			platform: "linux/arm64",
			builder: "classic",
		});
	}
});

test("a Docker that names no builder has BuildKit, and one that names the first is heeded", () => {
	const builder = (headers: Record<string, string>, document = DOCKER_28) =>
		facts({ "api-version": "1.41", ...headers }, document).builder;
	assert.equal(builder({}), "buildkit");
	assert.equal(builder({ "builder-version": "" }), "buildkit");
	assert.equal(builder({ "builder-version": "1" }), "classic");
	assert.equal(builder({}, { ...DOCKER_28, Os: "windows" }), "classic");
});

test("the older of the two newest API versions is agreed on, by number and not by text", () => {
	for (const [theirs, agreed] of [
		["1.40", "1.40"],
		["1.41", "1.41"],
		["1.51", "1.51"],
		["1.54", "1.51"],
		["1.100", "1.51"],
		["2.0", "1.51"],
	] as const) {
		assert.equal(facts({ "api-version": theirs }, DOCKER_28).apiVersion, agreed);
	}
});

test("a daemon that is too old is refused, with what to upgrade", () => {
	assert.throws(() => facts({ "api-version": "1.39" }, DOCKER_28), {
		name: "EngineError",
		message: "the daemon of ssh://x86box is too old: it speaks API 1.39, rbuild needs 1.40",
		hint: "upgrade Docker on that machine to 19.03 or later",
	});
	assert.throws(() => facts({ "api-version": "1.9" }, DOCKER_28), /too old/);
});

test("a daemon that has left our versions behind is refused, with what to upgrade", () => {
	assert.equal(
		facts({ "api-version": "1.60" }, { ...DOCKER_28, MinAPIVersion: "1.51" }).apiVersion,
		"1.51",
	);
	assert.throws(() => facts({ "api-version": "1.60" }, { ...DOCKER_28, MinAPIVersion: "1.52" }), {
		name: "EngineError",
		message: "the daemon of ssh://x86box wants API 1.52 or later, rbuild speaks up to 1.51",
		hint: "upgrade rbuild",
	});
});

test("a document that is no daemon's is not taken for one", () => {
	for (const document of [null, "OK", [], {}, { Version: "1" }, { ...DOCKER_28, Arch: 64 }]) {
		assert.equal(parseVersion(document), undefined);
	}
});

test("an architecture rbuild has never heard of is kept as the daemon spells it", () => {
	assert.equal(
		facts({ "api-version": "1.51" }, { ...DOCKER_28, Arch: "mips" }).platform,
		"linux/mips",
	);
});
