import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { dirname } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { interruptOneself, onInterrupt } from "../../../../src/cli/process/interrupts.js";
import { startRbuild } from "../../../support/cli.js";
import { namedPipe } from "../../../support/named-pipe.js";
import { startOnTerminal, whyNoTerminal } from "../../../support/terminal.js";

const command = fileURLToPath(new URL("../../../../../bin/rbuild.js", import.meta.url));

const skip = process.platform === "win32" ? "Windows has no named pipes in folders" : false;

/** rbuild, while it waits for a Dockerfile that nobody writes, in a thread that cannot be stopped. */
async function waiting(context: TestContext) {
	const pipe = namedPipe(context);
	const child = startRbuild([dirname(pipe), "-f", pipe, "--on", "unix:///nonexistent.sock"]);
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

suite("a terminal that is closed", { skip: whyNoTerminal() ?? false }, () => {
	test("ends the command, by its signal", { timeout: 30_000 }, async (context) => {
		const pipe = namedPipe(context);
		const mute = createServer().listen(0, "127.0.0.1");
		await once(mute, "listening");
		context.after(() => mute.close());
		const on = `tcp://127.0.0.1:${(mute.address() as AddressInfo).port}`;
		// A shell passes the signal on to its jobs.
		const terminal = startOnTerminal(
			`trap 'kill -HUP $!' HUP; '${process.execPath}' '${command}' doctor --on ${on} & wait $!; wait $!; echo $? >'${pipe}'`,
		);
		const code = readFile(pipe, "utf8");
		await terminal.shows("TCP connection");
		terminal.close();
		assert.equal(await code, "129\n");
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
