import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { BASE_IMAGE } from "../support/base-image.js";
import { type Box, startBox } from "../support/box.js";
import { rbuild } from "../support/cli.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { makeKey } from "../support/ssh-programs.js";
import { startSshd } from "../support/sshd.js";
import { startOnTerminal, whyNoTerminal } from "../support/terminal.js";

const command = fileURLToPath(new URL("../../../bin/rbuild.js", import.meta.url));
const PASSPHRASE = "never-show-4711";

suiteWithDockerd("a build on a box that is reached in an unusual way", () => {
	let box: Box;
	let context: string;

	before(async () => {
		box = await startBox();
		context = mkdtempSync(join(tmpdir(), "rbuild-ssh-build-"));
		writeFileSync(
			join(context, "Dockerfile"),
			`FROM ${BASE_IMAGE}\nCOPY note /note\nRUN cat /note\n`,
		);
	});
	after(async () => {
		rmSync(context, { recursive: true });
		await box[Symbol.asyncDispose]();
	});

	/** @returns what it said on its way */
	async function builds(...flags: readonly string[]): Promise<string> {
		writeFileSync(join(context, "note"), String(Math.random()));
		const args = [context, "-t", "ssh-builds", "--progress", "plain", ...flags];
		const { code, stderr } = await rbuild(args);
		assert.equal(code, 0, stderr);
		return stderr;
	}

	test("by the ssh program", async () => {
		assert.match(await builds(...box.flags, "--ssh-client", "system"), /the ssh program/);
	});

	for (const [name, config] of [
		["one session at a time and no forwarding", ["AllowStreamLocalForwarding no", "MaxSessions 1"]],
		["dial-stdio as its only command", ["ForceCommand docker -H unix://SOCKET system dial-stdio"]],
	] as const) {
		for (const client of ["builtin", "system"]) {
			test(`with ${name}, ${client}`, async () => {
				const lines = config.map((line) => line.replace("SOCKET", box.socketPath));
				await using sshd = await startSshd({ config: ["AllowStreamLocalForwarding no", ...lines] });
				const on = `ssh://${sshd.alias}${box.socketPath}`;
				const flags = ["--on", on, "--ssh-config", sshd.sshConfigFile, "--ssh-client", client];
				assert.match(await builds(...flags), /dial-stdio/);
			});
		}
	}

	test("over the connection over which it was chosen among several boxes", async () => {
		await using sshd = await startSshd();
		const [none, on] = ["ssh://127.0.0.1:1", `ssh://${sshd.alias}${box.socketPath}`];
		const config = ["--ssh-config", sshd.sshConfigFile];
		const chosen = await builds("--on", none, "--on", on, ...config);
		assert.match(chosen, /the first of 2 to answer/);
		assert.equal(sshd.log().match(/Accepted publickey/g)?.length, 1);
	});

	test("with a passphrase that is typed, and shown nowhere", {
		skip: whyNoTerminal() ?? false,
	}, async () => {
		const key = makeKey(join(context, "key"), "ed25519", { passphrase: PASSPHRASE });
		writeFileSync(join(context, ".dockerignore"), "key*\nconfig\n");
		await using sshd = await startSshd({ config: [`AuthorizedKeysFile ${key}.pub`] });
		const config = join(context, "config");
		const text = readFileSync(sshd.sshConfigFile, "utf8");
		writeFileSync(config, text.replace(sshd.clientKeyFile, key));
		const on = `ssh://${sshd.alias}${box.socketPath}`;
		const flags = `-t ssh-builds -vv --debug --on ${on} --ssh-config ${config}`;
		const terminal = startOnTerminal(`${process.execPath} ${command} ${context} ${flags}`, {
			DOCKER_CONFIG: "/nonexistent",
			XDG_CACHE_HOME: join(context, "cache"),
			DISPLAY: "",
		});
		await terminal.shows("Enter passphrase for key");
		terminal.type(`wrong-${PASSPHRASE}\n`);
		await terminal.shows("Bad passphrase, try again");
		terminal.type(`${PASSPHRASE}\n`);
		assert.equal(await terminal.end(), 0, terminal.screen());
		assert.ok(!terminal.screen().includes(PASSPHRASE), terminal.screen());
		const secretLines = readFileSync(key, "utf8").split("\n").slice(1, -2);
		for (const line of secretLines) assert.ok(!terminal.screen().includes(line));
	});

	test("not with an ssh client that is none", async () => {
		for (const [name, flags, env] of [
			["--ssh-client", ["--ssh-client", "putty"], {}],
			["RBUILD_SSH_CLIENT", [], { RBUILD_SSH_CLIENT: "putty" }],
		] as const) {
			const { code, stderr } = await rbuild([context, ...box.flags, ...flags], { env });
			assert.equal(code, 2, stderr);
			assert.equal(
				stderr,
				`error: ${name} "putty" is not supported\nhint: use auto, builtin or system\n`,
			);
		}
	});
});
