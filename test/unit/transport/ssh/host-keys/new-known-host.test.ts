import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { BuildEvent } from "../../../../../src/events.js";
import type { SshSettings } from "../../../../../src/transport/ssh/config/ssh-settings.js";
import { HostKeyPolicy } from "../../../../../src/transport/ssh/host-keys/host-key-policy.js";
import { rememberHostKey } from "../../../../../src/transport/ssh/host-keys/new-known-host.js";
import { noPermissions, posixOnly } from "../../../../support/this-system.js";

const KEY = Buffer.from("\0\0\0\x0bssh-ed25519 and the rest");

const settings = (file: string) =>
	({ hostName: "box", port: 22, userKnownHostsFiles: [file] }) as unknown as SshSettings;

suite("a new host key", () => {
	test("gets a line of its own in a file that is made for it", {
		skip: noPermissions,
	}, async (t) => {
		const home = mkdtempSync(join(tmpdir(), "rbuild-known-"));
		t.after(() => rmSync(home, { recursive: true }));
		const file = join(home, ".ssh", "known_hosts");
		assert.deepEqual(await rememberHostKey(settings(file), KEY), { file });
		assert.equal(readFileSync(file, "utf8"), `box ssh-ed25519 ${KEY.toString("base64")}\n`);
		assert.equal(statSync(join(home, ".ssh")).mode & 0o777, 0o700);
	});

	const skip = process.platform === "linux" ? false : "there is no /proc";
	test("is not remembered where no folder can be made", { skip }, async () => {
		const { file, problem } = await rememberHostKey(settings("/proc/rbuild/known_hosts"), KEY);
		assert.equal(file, undefined);
		assert.match(problem ?? "", /^cannot add it to \/proc\/rbuild\/known_hosts: /);
	});

	test("is not remembered by a name that means more there, and where nothing is", async () => {
		const { problem } = await rememberHostKey({ ...settings("/x"), hostName: "a,b" }, KEY);
		assert.equal(problem, '"a,b" is not valid in /x');
		assert.deepEqual(await rememberHostKey(settings("/dev/null"), KEY), {});
	});
});

/** @returns the warnings about a key that is taken without a question */
async function accepted(file: string): Promise<readonly string[]> {
	const warnings: string[] = [];
	const emit = (event: BuildEvent) => {
		if (event.type === "warning") warnings.push(event.message);
	};
	const { signal } = new AbortController();
	const policy = await HostKeyPolicy.load(
		{
			...settings(file),
			globalKnownHostsFiles: [],
			algorithms: { hostKeyAlgorithms: ["ssh-ed25519"] },
			strictHostKeyChecking: "accept-new",
			environment: {},
		} as unknown as SshSettings,
		"box",
		emit,
	);
	await policy.verify(KEY, signal);
	return warnings;
}

suite("a new host key that is accepted by the configuration", () => {
	const taken =
		/^box: accepted the unknown host key ssh-ed25519 SHA256:\S+ because StrictHostKeyChecking is accept-new/;

	test("is told of with the file that it was added to", async (t) => {
		const home = mkdtempSync(join(tmpdir(), "rbuild-known-"));
		t.after(() => rmSync(home, { recursive: true }));
		const file = join(home, "known_hosts");
		const [warning = "", ...others] = await accepted(file);
		assert.match(warning, taken);
		assert.ok(warning.endsWith(`; added to ${file}`), warning);
		assert.deepEqual(others, []);
	});

	test("is gone on with where it cannot be added, and that is told with the reason", {
		skip: posixOnly,
	}, async (t) => {
		const home = mkdtempSync(join(tmpdir(), "rbuild-known-"));
		t.after(() => rmSync(home, { recursive: true }));
		const [warning = "", ...others] = await accepted(home);
		assert.match(warning, taken);
		assert.ok(warning.endsWith(`, but cannot add it to ${home}: it is a directory`), warning);
		assert.deepEqual(others, []);
	});

	test("is no fault where the user keeps no file of them", async () => {
		const [warning = ""] = await accepted("/dev/null");
		assert.match(warning, /is accept-new$/);
	});
});
