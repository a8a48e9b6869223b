import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Environment } from "../../../../src/environment.js";
import { ConnectionError } from "../../../../src/errors.js";
import { writeContext } from "../../../../src/target/context-changes.js";
import { interpretOptions } from "../../../../src/transport/ssh/config/interpret-options.js";
import { withMeantBox } from "../../../../src/transport/ssh/meant-box.js";

suite("the hint at a name that does not resolve", () => {
	let home: string;
	let environment: Environment;

	before(async () => {
		home = await mkdtemp(join(tmpdir(), "rbuild-meant-"));
		environment = {
			...{ variables: {}, homeDirectory: home, userName: "ann" },
			...{ platform: process.platform, workingDirectory: home },
		};
		await mkdir(join(home, ".ssh"));
		await writeFile(join(home, ".ssh/config"), "Host x86box\n\tHostName 10.0.0.5\nHost x86bux");
		const context = { description: "", skipTlsVerify: false, tls: {} };
		await writeContext({ ...context, name: "cellar", host: "ssh://me@10.0.0.6" }, environment);
	});
	after(() => rm(home, { recursive: true }));

	async function hintFor(host: string, options: readonly (readonly [string, string])[] = []) {
		const known = new Map(options.map(([keyword, value]) => [keyword, [value]] as const));
		const settings = interpretOptions(known, { kind: "ssh", host }, environment);
		const failure = new ConnectionError("unresolved", "no such name", { hint: "as it was" });
		const told = await withMeantBox(failure, settings);
		assert.ok(told instanceof ConnectionError);
		assert.deepEqual([told.failure, told.message], ["unresolved", "no such name"]);
		return told.hint;
	}

	test("names an ssh alias or a docker context that is close to it", async () => {
		assert.equal(await hintFor("x68box"), "did you mean: x86box?");
		assert.equal(await hintFor("celler"), "did you mean: cellar?");
	});

	test("stays as it is where nothing is close, or where the configuration knows the name", async () => {
		assert.equal(await hintFor("elsewhere.example"), "as it was");
		assert.equal(await hintFor("x86bux"), "as it was");
		assert.equal(await hintFor("x68box", [["hostname", "build.example"]]), "as it was");
		assert.equal(await hintFor("x68box", [["proxycommand", "relay %h"]]), "as it was");
	});

	test("stays as it is for any other failure", async () => {
		const settings = interpretOptions(new Map(), { kind: "ssh", host: "x68box" }, environment);
		const failure = new ConnectionError("refused", "connection refused");
		assert.equal(await withMeantBox(failure, settings), failure);
	});
});
