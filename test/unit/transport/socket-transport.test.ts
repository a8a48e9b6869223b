import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { networkInterfaces, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { after, before, suite, test } from "node:test";
import type { Environment } from "../../../src/environment.js";
import { ConnectionError } from "../../../src/errors.js";
import type { BuildEvent } from "../../../src/events.js";
import type { Target } from "../../../src/target/target.js";
import { openTransport, readTransportSettings } from "../../../src/transport/open-transport.js";

const never = new AbortController().signal;
const environment: Environment = {
	variables: {},
	homeDirectory: tmpdir(),
	userName: "ann",
	platform: process.platform,
	workingDirectory: tmpdir(),
};

function open(target: Target, events: BuildEvent[] = []) {
	const chosen = { target, chosenBy: "--on" };
	const settings = readTransportSettings(chosen, environment, never);
	return openTransport(chosen, settings, never, (event) => events.push(event));
}

/** Answers a stream that was ended with what it said. */
function echoServer(): Server {
	return createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
}

async function echoOf(stream: Duplex, text: string): Promise<string> {
	stream.end(text);
	let answer = "";
	for await (const chunk of stream) {
		answer += chunk;
	}
	return answer;
}

suite("a transport to a unix socket", { skip: process.platform === "win32" }, () => {
	let directory: string;
	let server: Server;
	let socketPath: string;
	before(async () => {
		directory = await mkdtemp(join(tmpdir(), "rbuild-unix-"));
		socketPath = join(directory, "docker.sock");
		server = echoServer().listen(socketPath);
		await once(server, "listening");
	});
	after(async () => {
		server.close();
		await rm(directory, { recursive: true });
	});

	test("opens streams, and counts what all of them carried", async () => {
		await using transport = await open({ kind: "unix", socketPath });
		assert.equal(transport.route, "unix");
		assert.equal(transport.target, `unix://${socketPath}`);
		assert.equal(transport.roundTripMs, 0);
		const [one, two] = [await transport.open(never), await transport.open(never)];
		assert.notEqual(one, two);
		assert.equal(await echoOf(one, "first"), "first");
		assert.equal(await echoOf(two, "second"), "second");
		assert.deepEqual(transport.wire, { sent: 11, received: 11 });
	});

	test("ends its streams with itself", async () => {
		const transport = await open({ kind: "unix", socketPath });
		const stream = await transport.open(never);
		await transport[Symbol.asyncDispose]();
		assert.equal(stream.destroyed, true);
	});

	async function failureOf(path: string): Promise<ConnectionError> {
		try {
			await using _transport = await open({ kind: "unix", socketPath: path });
		} catch (error) {
			assert.ok(error instanceof ConnectionError);
			assert.ok(error.message.startsWith(`cannot reach unix://${path}: `), error.message);
			return error;
		}
		return assert.fail("it was reached");
	}

	test("tells that there is no socket", async () => {
		const error = await failureOf(join(directory, "none.sock"));
		assert.equal(error.failure, "socket-missing");
		assert.match(error.hint ?? "", /--on user@host/);
	});

	test("tells that the user may not use it", async (t) => {
		if (userInfo().uid === 0) {
			t.skip("root may use every socket");
			return;
		}
		await chmod(socketPath, 0);
		const error = await failureOf(socketPath);
		assert.equal(error.failure, "socket-permission");
		assert.match(error.hint ?? "", /docker/);
	});
});

suite("a transport over TCP", () => {
	let server: Server;
	let port: number;
	before(async () => {
		server = echoServer().listen(0);
		await once(server, "listening");
		({ port } = server.address() as AddressInfo);
	});
	after(() => server.close());

	test("opens streams on the loopback address without a warning", async () => {
		const events: BuildEvent[] = [];
		await using transport = await open({ kind: "tcp", host: "127.0.0.1", port }, events);
		assert.equal(transport.route, "tcp");
		assert.equal(await echoOf(await transport.open(never), "hello"), "hello");
		assert.ok(transport.roundTripMs > 0);
		const place = `tcp://127.0.0.1:${port}`;
		const detail = `127.0.0.1:${port}`;
		assert.deepEqual(events, [{ type: "reach", place, step: "tcp", detail }]);
	});

	test("refuses any other address, and warns whoever insists on it", async (t) => {
		const host = Object.values(networkInterfaces())
			.flat()
			.find((each) => each?.family === "IPv4" && !each.internal)?.address;
		if (host === undefined) {
			t.skip("this machine has only the loopback address");
			return;
		}
		const events: BuildEvent[] = [];
		const target = { kind: "tcp", host, port } as const;
		await assert.rejects(open(target, events), {
			name: "UsageError",
			message: /has neither encryption nor a login/,
			hint: /--insecure/,
		});
		await using _transport = await open({ ...target, insecure: true }, events);
		const [warning] = events.filter((event) => event.type === "warning");
		assert.match(warning?.message ?? "", /without encryption or authentication/);
	});
});
