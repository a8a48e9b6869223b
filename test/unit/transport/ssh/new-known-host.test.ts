import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { rememberHostKey } from "../../../../src/transport/ssh/new-known-host.js";
import type { SshSettings } from "../../../../src/transport/ssh/ssh-settings.js";

const KEY = Buffer.from("\0\0\0\x0bssh-ed25519 and the rest");

const settings = (file: string) =>
	({ hostName: "box", port: 22, userKnownHostsFiles: [file] }) as unknown as SshSettings;

suite("a new host key", () => {
	test("gets a line of its own in a file that is made for it", async (t) => {
		const home = mkdtempSync(join(tmpdir(), "rbuild-known-"));
		t.after(() => rmSync(home, { recursive: true }));
		const file = join(home, ".ssh", "known_hosts");
		assert.equal(await rememberHostKey(settings(file), KEY), file);
		assert.equal(readFileSync(file, "utf8"), `box ssh-ed25519 ${KEY.toString("base64")}\n`);
		assert.equal(statSync(join(home, ".ssh")).mode & 0o777, 0o700);
	});

	const skip = process.platform === "linux" ? false : "there is no /proc";
	test("is not remembered where no folder can be made", { skip }, async () => {
		assert.equal(await rememberHostKey(settings("/proc/rbuild/known_hosts"), KEY), undefined);
	});
});
