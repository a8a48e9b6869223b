import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { ConnectionError, InterruptedError } from "../../../src/errors.js";
import {
	connectError,
	connectSocket,
	type Destination,
} from "../../../src/transport/connect-socket.js";

const never = new AbortController().signal;

function destination(address: Destination["address"], timeoutMs = 10_000): Destination {
	return { place: "the place", address, timeoutMs, hint: (failure) => `hint for ${failure}` };
}

async function failureOf(address: Destination["address"], timeoutMs?: number) {
	try {
		(await connectSocket(destination(address, timeoutMs), never)).destroy();
	} catch (error) {
		assert.ok(error instanceof ConnectionError, String(error));
		assert.match(error.message, /^cannot reach the place: /);
		assert.equal(error.hint, `hint for ${error.failure}`);
		return error.failure;
	}
	return "none";
}

suite("connectSocket", () => {
	test("connects", async () => {
		const server = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as { port: number };
		const socket = await connectSocket(destination({ host: "127.0.0.1", port }), never);
		const [data] = await once(socket, "data");
		assert.equal(String(data), "hello");
		socket.destroy();
		server.close();
	});

	test("survives a reset before its reader listens, who finds it destroyed", async () => {
		const server = createServer().listen(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as { port: number };
		const [socket, [far]] = await Promise.all([
			connectSocket(destination({ host: "127.0.0.1", port }), never),
			once(server, "connection"),
		]);
		server.close();
		far.resetAndDestroy();
		// Not once() of node:events, which would listen for the error.
		await new Promise((closed) => socket.resume().on("close", closed));
		assert.ok(socket.destroyed);
	});

	test("tells that nobody listens on a port", async () => {
		const server = createServer().listen(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as { port: number };
		server.close();
		await once(server, "close");
		assert.equal(await failureOf({ host: "127.0.0.1", port }), "refused");
	});

	test("tells that a name does not resolve", async () => {
		assert.equal(await failureOf({ host: "no-such-host.invalid", port: 22 }), "unresolved");
	});

	test("tells that a unix socket is not there, or is something else", async (t) => {
		if (process.platform === "win32") {
			t.skip("Windows has no unix sockets in this form");
			return;
		}
		const directory = await mkdtemp(join(tmpdir(), "rbuild-socket-"));
		assert.equal(await failureOf({ path: join(directory, "none.sock") }), "socket-missing");
		await writeFile(join(directory, "file"), "");
		assert.equal(await failureOf({ path: join(directory, "file") }), "refused");
		await rm(directory, { recursive: true });
	});

	test("gives up on a host that does not answer", {
		skip: process.platform !== "linux",
	}, async () => {
		// A stopped listener whose queue is full: Linux drops the packets of whoever comes next.
		const script =
			"require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})";
		const listener = spawn(process.execPath, ["-e", script], {
			stdio: ["ignore", "pipe", "ignore"],
		});
		const [line] = await once(listener.stdout, "data");
		const port = Number(String(line));
		listener.kill("SIGSTOP");
		const queue: Socket[] = [];
		for (let i = 0; i < 4; i++) {
			queue.push(connect(port, "127.0.0.1").on("error", () => {}));
		}
		await once(queue[0] as Socket, "connect");
		assert.equal(await failureOf({ host: "127.0.0.1", port }, 200), "timed-out");
		for (const socket of queue) {
			socket.destroy();
		}
		listener.kill("SIGKILL");
	});

	test("stops when interrupted", async () => {
		const address = { host: "127.0.0.1", port: 9 };
		await assert.rejects(
			connectSocket(destination(address), AbortSignal.abort()),
			InterruptedError,
		);
		const interruption = new AbortController();
		const connecting = connectSocket(destination(address), interruption.signal);
		interruption.abort();
		await assert.rejects(connecting, InterruptedError);
	});
});

suite("connectError", () => {
	const error = (code: string) => Object.assign(new Error(code), { code });
	const failure = (cause: Error) => connectError(destination({ path: "/x" }), cause).failure;

	test("tells the causes apart", () => {
		assert.equal(failure(error("EAI_AGAIN")), "unresolved");
		assert.equal(failure(error("ETIMEDOUT")), "timed-out");
		assert.equal(failure(error("EHOSTUNREACH")), "unreachable");
		assert.equal(failure(error("ENETUNREACH")), "unreachable");
		assert.equal(failure(error("EACCES")), "socket-permission");
		assert.equal(failure(error("EWHATEVER")), "unreachable");
	});

	test("tells in words what comes of anything else", () => {
		const { message } = connectError(destination({ path: "/x" }), error("EPIPE"));
		assert.equal(message, "cannot reach the place: broken pipe");
	});

	test("tells of many addresses the most telling failure", () => {
		const errors = [error("ENETUNREACH"), error("ECONNREFUSED")];
		assert.equal(failure(new AggregateError(errors)), "refused");
	});
});
