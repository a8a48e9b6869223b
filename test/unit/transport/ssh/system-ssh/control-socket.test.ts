import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { ConnectionError, InterruptedError } from "../../../../../src/errors.js";
import {
	connectTo,
	controlPath,
	isAlive,
} from "../../../../../src/transport/ssh/system-ssh/control-socket.js";

const never = new AbortController().signal;

/** A folder in which somebody listens as the ssh program does. */
async function listener(t: TestContext, greet: (socket: Socket) => void): Promise<string> {
	const folder = mkdtempSync(join(tmpdir(), "rbuild-control-"));
	const sockets = new Set<Socket>();
	const server: Server = createServer((socket) => {
		sockets.add(socket);
		greet(socket);
	});
	server.listen(controlPath(folder));
	await once(server, "listening");
	t.after(() => {
		server.close();
		for (const socket of sockets) socket.destroy();
		rmSync(folder, { recursive: true });
	});
	return folder;
}

const skip = process.platform === "win32" ? "ssh shares no connections there" : false;

suite("the socket of a shared connection", { skip }, () => {
	test("is alive where somebody says hello", async (t) => {
		assert.equal(await isAlive(await listener(t, (socket) => socket.write("hello"))), true);
	});

	test("is not where it is closed without a word, or nobody is", async (t) => {
		assert.equal(await isAlive(await listener(t, (socket) => socket.end())), false);
		assert.equal(await isAlive("/nonexistent"), false);
	});

	test("is not where nothing is said for long", async (t) => {
		const folder = await listener(t, () => {});
		t.mock.timers.enable({ apis: ["setTimeout"] });
		const alive = isAlive(folder);
		t.mock.timers.tick(5_000);
		assert.equal(await alive, false);
	});

	test("is connected to, or not any more when the run is interrupted", async (t) => {
		const folder = await listener(t, (socket) => socket.write("hello"));
		const socket = await connectTo(controlPath(folder), never, "box");
		assert.equal(socket.listenerCount("connect"), 0);
		socket.destroy();
		const run = new AbortController();
		const connecting = connectTo(controlPath(folder), run.signal, "box");
		run.abort();
		await assert.rejects(connecting, InterruptedError);
		await assert.rejects(connectTo("/nonexistent", never, "box"), ConnectionError);
	});
});
