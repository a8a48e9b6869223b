import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { interruptOneself, onInterrupt } from "../../../../src/cli/process/interrupts.js";
import { startRbuild } from "../../../support/cli.js";

const skip = process.platform === "win32" ? "Windows has no named pipes in folders" : false;

/** rbuild, while it waits for a Dockerfile that nobody writes, in a thread that cannot be stopped. */
async function waiting(context: TestContext) {
	const root = mkdtempSync(join(tmpdir(), "rbuild-interrupt-"));
	context.after(() => rmSync(root, { recursive: true }));
	const pipe = join(root, "pipe");
	execFileSync("mkfifo", [pipe]);
	const child = startRbuild([root, "-f", pipe, "--on", "unix:///nonexistent.sock"]);
	assert.ok(child.stderr);
	await once(child.stderr, "data");
	return child;
}

suite("Ctrl-C", { skip, concurrency: true }, () => {
	test("ends the command also where something can only be waited for", async (context) => {
		const child = await waiting(context);
		child.kill("SIGINT");
		await once(child, "close");
		assert.equal(child.signalCode, "SIGINT");
	});

	test("ends it at once when it is given twice", async (context) => {
		const child = await waiting(context);
		child.kill("SIGTERM");
		child.kill("SIGTERM");
		await once(child, "close");
		assert.equal(child.signalCode, "SIGTERM");
	});
});

suite("on Windows", () => {
	test("Ctrl-Break is Ctrl-C", () => {
		using interrupts = onInterrupt(() => {}, "win32");
		process.emit("SIGBREAK", "SIGBREAK");
		assert.equal(interrupts.signal.reason?.name, "InterruptedError");
	});

	test("Ctrl-C at a question is heard, as a signal to oneself is not", (context) => {
		const kill = context.mock.method(process, "kill", () => true);
		{
			using interrupts = onInterrupt(() => {}, "win32");
			interruptOneself("win32");
			assert.ok(interrupts.signal.aborted);
			assert.equal(kill.mock.callCount(), 0);
		}
		interruptOneself("linux");
		assert.deepEqual(kill.mock.calls[0]?.arguments, [process.pid, "SIGINT"]);
	});
});
