import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { EXIT_CODES } from "../../../../src/errors.js";
import { rbuildHere } from "../../../support/called-program.js";

suite("flags of docker's old builder", () => {
	// It fails after the flags have been read.
	const notes = async (...flags: string[]) => {
		const { code, stderr } = await rbuildHere([
			"./nowhere",
			"--on",
			"unix:///nonexistent.sock",
			...flags,
		]);
		assert.equal(code, EXIT_CODES.context, stderr);
		return [...stderr.matchAll(/^warning: --(\S+) has no effect: \S/gm)].map(([, name]) => name);
	};

	test("are accepted with a note for each, in all forms", async () => {
		const flags = ["-m", "1g", "-c=5", "--rm=false", "--squash", "--isolation", "default"];
		assert.deepEqual(await notes(...flags, "--security-opt=a", "--security-opt", "b"), [
			...["rm", "squash", "isolation", "security-opt", "memory", "cpu-shares"],
		]);
	});

	test("have a variable beside them", async () => {
		const said = async (DOCKER_BUILDKIT: string) => {
			const args = ["./nowhere", "--on", "unix:///nonexistent.sock"];
			const { stderr } = await rbuildHere(args, { env: { DOCKER_BUILDKIT } });
			return /^warning: (DOCKER_BUILDKIT=\S+) has no effect: \S/m.exec(stderr)?.[1];
		};
		assert.equal(await said("0"), "DOCKER_BUILDKIT=0");
		assert.equal(await said("false"), "DOCKER_BUILDKIT=false");
		assert.equal(await said("1"), undefined);
		assert.equal(await said(""), undefined);
	});

	test("are not mentioned where they are not used", async () => {
		assert.deepEqual(await notes(), []);
	});
});
