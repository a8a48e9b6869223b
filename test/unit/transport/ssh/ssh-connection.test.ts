import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { suite, type TestContext, test } from "node:test";
import ssh2, { type Algorithms } from "ssh2";
import type { Environment } from "../../../../src/environment.js";
import { interpretOptions } from "../../../../src/transport/ssh/config/interpret-options.js";
import { SshConnection } from "../../../../src/transport/ssh/ssh-connection.js";

const never = new AbortController().signal;
const environment: Environment = {
	variables: {},
	homeDirectory: "/nonexistent",
	userName: "me",
	platform: process.platform,
	workingDirectory: "/nonexistent",
};
const judge = { algorithms: ["ssh-ed25519"], verify: async () => {} };
const hostKey = ssh2.utils.generateKeyPairSync("ed25519").private;

/** Connects to a server on 127.0.0.1. */
async function connectTo(
	t: TestContext,
	serve: (socket: Socket) => void,
	machine: Environment = environment,
) {
	const server = createServer(serve).listen(0, "127.0.0.1");
	t.after(() => server.close());
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const target = { kind: "ssh", host: "127.0.0.1", port } as const;
	const settings = interpretOptions(new Map([["userknownhostsfile", ["none"]]]), target, machine);
	const place = `127.0.0.1:${port}`;
	return {
		place,
		open: () =>
			SshConnection.open(
				settings,
				never,
				() => {},
				() => {},
				judge,
			),
	};
}

suite("a connection that the network resets is told of in words, not by a code", () => {
	test("while it is used", async (t) => {
		let reset = () => {};
		const ssh = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
			client.on("error", () => {}).on("authentication", (attempt) => attempt.accept());
			client.on("session", () => reset());
		});
		const { place, open } = await connectTo(t, (socket) => {
			reset = () => void socket.resetAndDestroy();
			ssh.injectSocket(socket);
		});
		await using connection = await open();
		await assert.rejects(connection.exec("true", never), {
			failure: "lost",
			message: `lost the connection to ${place}: connection reset by peer`,
		});
	});

	test("while keys are exchanged", async (t) => {
		const { place, open } = await connectTo(t, (socket) => {
			socket.on("error", () => {}).write("SSH-2.0-OpenSSH_9.0\r\n");
			socket.once("data", () => socket.resetAndDestroy());
		});
		await assert.rejects(open(), {
			failure: "protocol",
			message: `cannot reach ${place}: the ssh key exchange failed: connection reset by peer`,
		});
	});
});

test("a packet that was damaged on the way is told of in words, not in OpenSSL's", async (t) => {
	let damage = () => {};
	const algorithms: Algorithms = { cipher: ["aes128-gcm@openssh.com"] };
	const ssh = new ssh2.Server({ hostKeys: [hostKey], algorithms }, (client) => {
		client.on("error", () => {}).on("authentication", (attempt) => attempt.accept());
		client.on("session", () => damage());
	});
	const { place, open } = await connectTo(t, (socket) => {
		// Its length is sent in the clear: 32 bytes, and 16 that should prove them.
		damage = () => void socket.write(Buffer.concat([Buffer.from([0, 0, 0, 32]), Buffer.alloc(48)]));
		ssh.injectSocket(socket);
	});
	await using connection = await open();
	await assert.rejects(connection.exec("true", never), {
		failure: "lost",
		message: `lost the connection to ${place}: what came was damaged on the way`,
	});
});

test("a user id without a name is told of, and what to write", async (t) => {
	const ssh = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
		client.on("error", () => {}).on("authentication", (attempt) => attempt.reject(["publickey"]));
	});
	const nameless = { ...environment, userName: "" };
	const { place, open } = await connectTo(t, (socket) => ssh.injectSocket(socket), nameless);
	await assert.rejects(open(), {
		failure: "not-authenticated",
		message: `cannot reach ${place}: there is no user to log in as: none is named, and the user that rbuild runs as has no name`,
		hint: "write USER@127.0.0.1, or name the User of 127.0.0.1 in the ssh configuration",
	});
});
