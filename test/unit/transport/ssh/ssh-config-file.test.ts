import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Environment } from "../../../../src/environment.js";
import { readSshConfig } from "../../../../src/transport/ssh/ssh-config-file.js";

suite("readSshConfig", () => {
	let home: string;
	before(async () => {
		home = await mkdtemp(join(tmpdir(), "rbuild-ssh-config-"));
		await mkdir(join(home, ".ssh"));
	});
	after(() => rm(home, { recursive: true }));

	async function read(host: string, config: string, keyword: string) {
		const sshConfigFile = join(home, "config");
		await writeFile(sshConfigFile, config);
		const environment: Environment = {
			variables: {},
			homeDirectory: home,
			userName: "ann",
			platform: "linux",
			workingDirectory: home,
			sshConfigFile,
		};
		return (await readSshConfig(host, environment)).get(keyword);
	}

	test("takes the first value, from the sections whose patterns fit", async () => {
		const config = "User top\nHost lab*\n  User lab\nHost *\n  User any\n  Port 7\n";
		assert.deepEqual(await read("box", config, "user"), ["top"]);
		assert.deepEqual(await read("box", config, "port"), ["7"]);
		assert.deepEqual(await read("lab1", config.slice("User top\n".length), "user"), ["lab"]);
		assert.deepEqual(await read("box", "Host * !box\n  User x\n", "user"), undefined);
	});

	test("collects every IdentityFile", async () => {
		const config = "IdentityFile a\nHost box\n  IdentityFile b\nHost lab\n  IdentityFile c\n";
		assert.deepEqual(await read("box", config, "identityfile"), ["a", "b"]);
	});

	test("reads quotes, equals signs, comments and any case", async () => {
		assert.deepEqual(await read("box", 'identityfile = "a b"\n', "identityfile"), ["a b"]);
		assert.deepEqual(await read("box", "PORT=7 # seven\r\n", "port"), ["7"]);
		assert.deepEqual(await read("box", "# Port 8\n\n\tPort\t7\n", "port"), ["7"]);
		assert.deepEqual(await read("box", "UserKnownHostsFile a b\n", "userknownhostsfile"), [
			"a",
			"b",
		]);
	});

	test("follows Include relative to ~/.ssh, with wildcards, only where it applies", async () => {
		await writeFile(join(home, ".ssh", "one.conf"), "Host *\n  User included\n");
		assert.deepEqual(await read("box", "Include *.conf\nUser late\n", "user"), ["included"]);
		assert.deepEqual(await read("box", "Include ~/.ssh/one.conf\n", "user"), ["included"]);
		assert.deepEqual(await read("box", "Host lab\nInclude one.conf\n", "user"), undefined);
		assert.deepEqual(await read("box", "Include nothing-there\nUser late\n", "user"), ["late"]);
	});

	test("survives a file that includes itself", async () => {
		const config = `Include ${join(home, "config")}\nUser late\n`;
		assert.deepEqual(await read("box", config, "user"), ["late"]);
	});

	test("takes Match all, and no other Match that it does not understand", async () => {
		assert.deepEqual(await read("box", "Match all\n  User x\n", "user"), ["x"]);
		assert.deepEqual(await read("box", "Match exec true\n  User x\n", "user"), undefined);
	});

	test("says when the file that was named is not there", async () => {
		const environment: Environment = {
			variables: {},
			homeDirectory: home,
			userName: "ann",
			platform: "linux",
			workingDirectory: home,
			sshConfigFile: join(home, "none"),
		};
		await assert.rejects(
			readSshConfig("box", environment),
			/cannot read the ssh config file .*none/,
		);
	});
});
