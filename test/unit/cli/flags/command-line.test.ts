import assert from "node:assert/strict";
import { suite, test } from "node:test";
import yargs from "yargs";
import { normalizeFlags } from "../../../../src/cli/flags/command-line.js";

const flags = {
	tag: { type: "string", array: true, alias: "t" },
	file: { type: "string", alias: "f" },
	quiet: { type: "boolean", alias: "q" },
	"build-arg": { type: "string", array: true },
	push: { type: "boolean" },
} as const;

const normalized = (...argv: string[]) => normalizeFlags(argv, flags);

suite("a command line", () => {
	test("has short flags spelled out, with what is attached to them", () => {
		assert.deepEqual(normalized("-tapp", ".", "-fDockerfile"), [
			"--tag=app",
			".",
			"--file=Dockerfile",
		]);
		assert.deepEqual(normalized("-qt", "app", "-t=b"), ["--quiet", "--tag=app", "--tag=b"]);
		assert.deepEqual(normalized("-tq"), ["--tag=q"]);
	});

	test("has values that look like flags", () => {
		assert.deepEqual(normalized("--build-arg", "--x=1", "-f", "-"), [
			"--build-arg=--x=1",
			"--file=-",
		]);
		assert.deepEqual(normalized("--tag=a", "--push", "."), ["--tag=a", "--push", "."]);
	});

	test("has values with the quotes that they came with", async () => {
		for (const value of ['"k=l"', "'m'='n'", `"type=local","dest=a,b"`, '"', "'a", 'a"b"']) {
			const argv = normalized("--build-arg", value, `--tag=${value}`);
			const parsed = await yargs(argv).options(flags).parse();
			assert.deepEqual([parsed.buildArg, parsed.tag], [[value], [value]]);
		}
	});

	test("has switches that are on or off in Go's words", () => {
		assert.deepEqual(normalized("--push=1", "-q=F", "--push=yes"), [
			"--push=true",
			"--quiet=false",
			"--push=yes",
		]);
		assert.deepEqual(normalized("--tag=1"), ["--tag=1"]);
	});

	test("keeps what it does not know, for an error in its own words", () => {
		assert.deepEqual(normalized("-x", "--unknown", "v", "-", "-t"), [
			"-x",
			"--unknown",
			"v",
			"-",
			"--tag",
		]);
	});

	test("has no flags behind --", () => {
		assert.deepEqual(normalized("-q", "--", "-t", "x", "-"), ["--quiet", "./-t", "x", "-"]);
	});
});
