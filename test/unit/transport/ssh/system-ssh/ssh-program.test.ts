import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import type {
	SshSettings,
	SshTarget,
} from "../../../../../src/transport/ssh/config/ssh-settings.js";
import { SshProgram } from "../../../../../src/transport/ssh/system-ssh/ssh-program.js";

/** @param script what stands in for the ssh program; absent: there is none */
function program(t: TestContext, script?: string): SshProgram {
	const folder = mkdtempSync(join(tmpdir(), "rbuild-ssh-program-"));
	t.after(() => rmSync(folder, { recursive: true }));
	if (script !== undefined) {
		writeFileSync(join(folder, "ssh"), `#!/bin/sh\n${script}\n`);
		chmodSync(join(folder, "ssh"), 0o755);
	}
	const environment = { variables: { PATH: folder }, workingDirectory: folder };
	const host = { alias: "box", hostName: "box", port: 22 };
	const settings = { ...host, environment, connectTimeoutMs: 15_000 } as unknown as SshSettings;
	return new SshProgram({} as SshTarget, settings, undefined);
}

const skip = process.platform === "win32" ? "there is no /bin/sh" : false;

suite("the ssh program, run to its end", { skip }, () => {
	test("gives its exit code and what it said", async (t) => {
		const ended = await program(t, "echo no >&2; exit 255").run([], new AbortController().signal);
		assert.deepEqual(ended, { code: 255, stderr: "no\n" });
	});

	test("is ended with the run, also with one that was interrupted before", async (t) => {
		const run = new AbortController();
		const running = program(t, "exec /bin/sleep 600").run([], run.signal);
		run.abort();
		assert.equal((await running).code, null);
		const late = await program(t, "exec /bin/sleep 600").run([], run.signal);
		assert.equal(late.code, null);
	});

	test("is missed where there is none", async (t) => {
		await assert.rejects(program(t).run([], new AbortController().signal), {
			name: "ConnectionError",
			message: "cannot reach box:22: ssh cannot be run: no such file or directory",
		});
	});
});
