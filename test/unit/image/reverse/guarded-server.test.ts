import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { GuardedServer } from "../../../../src/image/reverse/guarded-server.js";
import { listenOnLoopback } from "../../../../src/transport/loopback-port.js";
import type { LoopbackPort } from "../../../../src/transport/transport.js";

describe("a web server for whoever knows its login", () => {
	let server: GuardedServer;
	let port: LoopbackPort;
	let answered: string[];
	/** Streams that have come in. */
	let accepted: number;

	beforeEach(async () => {
		answered = [];
		accepted = 0;
		server = new GuardedServer((asked, response) => {
			answered.push(`${asked.method} ${asked.url}`);
			asked.resume();
			response.end("welcome");
		});
		port = await listenOnLoopback((stream) => {
			server.accept(stream);
			accepted++;
		});
	});
	afterEach(async () => {
		mock.timers.reset();
		server.close();
		await port[Symbol.asyncDispose]();
	});

	async function connected(): Promise<Socket> {
		const before = accepted;
		const socket = connect(port.port, "127.0.0.1");
		socket.on("error", () => {});
		await once(socket, "connect");
		while (accepted === before) await new Promise(setImmediate);
		return socket;
	}

	/** All that comes back until the server hangs up. */
	async function send(bytes: string): Promise<string> {
		const socket = await connected();
		socket.write(bytes);
		return text(socket);
	}

	function askAsKnown(): Promise<string> {
		const { username, password } = server.auth;
		return new Promise((resolve, reject) => {
			request({ port: port.port, auth: `${username}:${password}`, agent: false }, (response) =>
				resolve(text(response)),
			)
				.once("error", reject)
				.end();
		});
	}

	const header = (length: number) => `X: ${"x".repeat(length)}\r\n`;
	for (const [what, bytes] of [
		["a request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
		["another login", "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\n\r\n"],
		["a request without a host", "GET / HTTP/1.1\r\n\r\n"],
		["an old request", "GET / HTTP/1.0\r\n\r\n"],
		["a tunnel", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n"],
		[
			"another protocol",
			"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		],
		[
			"a body that waits for leave",
			"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
		],
		["an unknown expectation", "PUT / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n"],
		["headers without end", `GET / HTTP/1.1\r\nHost: x\r\n${header(20_000)}`],
		["many headers", `GET / HTTP/1.1\r\n${header(1000).repeat(20)}\r\n`],
		["no request", "SSH-2.0-OpenSSH_9.2\r\n"],
		["a request that hides another", "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"],
		["two lengths", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
	] as const) {
		it(`answers ${what} with 401, once, and hangs up`, async () => {
			const answer = await send(bytes);
			assert.match(answer, /^HTTP\/1\.1 401 Unauthorized\r\n/);
			assert.match(answer, /\r\nConnection: close\r\n/i);
			assert.equal(answer.split("HTTP/1.1").length, 2);
			assert.deepEqual(answered, []);
		});
	}

	it("hangs up on a stranger whose body has no end", async () => {
		const socket = await connected();
		socket.write("PUT /v2/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
		const closed = new Promise((resolve) => socket.once("close", resolve));
		const more = () => {
			while (socket.writable && socket.write(`1000\r\n${"x".repeat(4096)}\r\n`));
		};
		socket.on("drain", more);
		more();
		socket.resume();
		await closed;
		assert.deepEqual(answered, []);
	});

	it("gives a stranger ten seconds to say something, and a friend as long as it takes", async () => {
		mock.timers.enable({ apis: ["setTimeout"] });
		const silent = await connected();
		const slow = await connected();
		slow.write("GET / HTTP/1.1\r\nX: ");
		const friend = await connected();
		const { username, password } = server.auth;
		const login = Buffer.from(`${username}:${password}`).toString("base64");
		const asking = `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${login}\r\n\r\n`;
		friend.write(asking);
		await once(friend, "data");
		const closed = Promise.all([silent, slow].map((socket) => once(socket.resume(), "close")));
		mock.timers.tick(10_000);
		await closed;
		friend.write(asking);
		await once(friend, "data");
		assert.deepEqual(answered, ["GET /", "GET /"]);
		friend.destroy();
	});

	it("lets in who knows the login, however many strangers there are", async () => {
		const strangers: Socket[] = [];
		for (let count = 0; count < 100; count++) strangers.push(await connected());
		assert.equal(await askAsKnown(), "welcome");
		for (const stranger of strangers) stranger.destroy();
	});

	it("hangs up on everybody when it is closed", async () => {
		const stranger = await connected();
		const closed = once(stranger.resume(), "close");
		server.close();
		await closed;
		await assert.rejects(askAsKnown(), { code: "ECONNRESET" });
	});
});
