import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import ssh2 from "ssh2";
import type { SshSettings } from "../../../../../src/transport/ssh/config/ssh-settings.js";
import { collectIdentities } from "../../../../../src/transport/ssh/identities/identities.js";
import { noPermissions } from "../../../../support/this-system.js";

suite("a file with a private key", () => {
	let folder: string;
	let path: string;
	before(() => {
		folder = mkdtempSync(join(tmpdir(), "rbuild-identities-"));
		path = join(folder, "id");
		writeFileSync(path, ssh2.utils.generateKeyPairSync("ed25519").private);
	});
	after(() => rmSync(folder, { recursive: true }));

	/** The labels of keys that are offered, and what is said of those that are not. */
	async function collect(environment: Partial<SshSettings["environment"]>, file = path) {
		const settings = { identityFiles: [file], environment } as unknown as SshSettings;
		const { offered, skipped } = await collectIdentities({
			...{ settings, ssh2, prompt: undefined, emit() {} },
			signal: new AbortController().signal,
		});
		return { offered: offered.map(({ label }) => label.split(" ")[0]), skipped };
	}

	test("is not offered while others may read it, if it is the user's own", {
		skip: noPermissions,
	}, async () => {
		chmodSync(path, 0o640);
		const { uid: userId } = statSync(path);
		assert.deepEqual(await collect({ platform: "linux", userId }), {
			offered: [],
			skipped: [`${path} (its permissions 0640 are too open; run: chmod 600 ${path})`],
		});
		// Whoever does not say who they are may be its owner.
		assert.equal((await collect({ platform: "linux" })).skipped.length, 1);
		const offered = { offered: [path], skipped: [] };
		// As OpenSSH has it, somebody else's file is none of the user's business.
		assert.deepEqual(await collect({ platform: "linux", userId: userId + 1 }), offered);
		assert.deepEqual(await collect({ platform: "win32", userId }), offered);
		chmodSync(path, 0o600);
		assert.deepEqual(await collect({ platform: "linux", userId }), offered);
	});

	test("is told of where it cannot be read", async () => {
		const { skipped } = await collect({ platform: "linux" }, folder);
		assert.deepEqual(skipped, [`${folder} (cannot be read: it is a directory)`]);
	});
});
