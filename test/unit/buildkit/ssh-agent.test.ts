import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import ssh2, { type ParsedKey } from "ssh2";
import { serveGrpc } from "../../../src/buildkit/grpc/grpc-server.js";
import { type ForwardedAgent, sshService } from "../../../src/buildkit/ssh-agent/agent-forward.js";
import { readAgentMessages, withLength } from "../../../src/buildkit/ssh-agent/agent-messages.js";
import { agentKey, keyAgent } from "../../../src/buildkit/ssh-agent/key-agent.js";
import { countKeys, rawSocket, socketAgent } from "../../../src/buildkit/ssh-agent/socket-agent.js";
import { onlyListAndSign } from "../../../src/buildkit/ssh-agent/ssh-agent.js";
import { answerOf, frame, GrpcPeer } from "../../support/grpc-peer.js";
import { makeKey, startSshAgent, whyNoSshAgent } from "../../support/ssh-programs.js";
import { duplexPair } from "./duplex-pair.js";

const signal = new AbortController().signal;
const run = promisify(execFile);
const skip = whyNoSshAgent() ?? false;

const FAILURE = 5;
const SSH = "/moby.sshforward.v1.SSH";

/** The numbers of the answers to requests that no program of OpenSSH sends. */
async function ask(agent: ForwardedAgent, ...requests: Uint8Array[]): Promise<number[]> {
	async function* incoming() {
		yield Buffer.concat(requests);
	}
	const answers: number[] = [];
	for await (const answer of readAgentMessages(agent.serve(incoming(), signal))) {
		answers.push(answer[0] ?? -1);
	}
	return answers;
}

async function listen(path: string, serve: (socket: Socket) => void): Promise<Disposable> {
	const server = createServer({ allowHalfOpen: true }, serve);
	server.listen(path);
	await once(server, "listening");
	return { [Symbol.dispose]: () => void server.close() };
}

/** A socket behind which a forwarded agent is, as BuildKit makes one for a step. */
function forward(agent: ForwardedAgent, path: string): Promise<Disposable> {
	return listen(path, (socket) => {
		pipeline(agent.serve(socket, signal), socket).catch(() => socket.destroy());
	});
}

describe("a forwarded ssh agent", { skip }, () => {
	let directory: string;
	let key: string;
	before(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-agent-"));
		key = makeKey(join(directory, "key"), "ed25519");
	});
	after(() => rmSync(directory, { recursive: true, force: true }));

	const at = (name: string) => join(directory, name);
	const program = (socket: string, name: string, ...args: string[]) =>
		run(name, args, { env: { ...process.env, SSH_AUTH_SOCK: socket } });

	/** Has ssh-keygen sign by way of the agent, as it has nothing but the public key, and verify it. */
	async function signs(socket: string, privateKey: string): Promise<void> {
		const [publicKey, message] = [at("shown.pub"), at("message")];
		copyFileSync(`${privateKey}.pub`, publicKey);
		writeFileSync(message, "to be signed");
		rmSync(`${message}.sig`, { force: true });
		await program(socket, "ssh-keygen", "-Y", "sign", "-f", publicKey, "-n", "test", message);
		const check = `ssh-keygen -Y check-novalidate -n test -s ${message}.sig < ${message}`;
		const { stdout } = await run("sh", ["-c", check]);
		assert.match(stdout, /^Good "test" signature/);
	}

	for (const [type, bits] of [
		["ed25519", ""],
		["ecdsa", "256"],
		["ecdsa", "384"],
		["ecdsa", "521"],
		["rsa", "2048"],
	] as const) {
		it(`lists and signs with ${type} ${bits} from a file as OpenSSH expects it`, async () => {
			const file = makeKey(at(`${type}${bits}`), type, { bits });
			const parsed = agentKey(ssh2.utils.parseKey(readFileSync(file)) as ParsedKey);
			assert.ok(parsed !== undefined);
			const socket = at(`${type}${bits}.sock`);
			using _server = await forward(onlyListAndSign(keyAgent([parsed])), socket);
			const { stdout } = await program(socket, "ssh-add", "-L");
			assert.equal(stdout, readFileSync(`${file}.pub`, "utf8"));
			// An ECDSA number has a zero in front in every other signature.
			for (let time = 0; time < 5; time++) await signs(socket, file);
		});
	}

	it("passes on what the user's agent lists and signs, and nothing that changes it", async () => {
		using agent = startSshAgent(at("real.sock"), [key]);
		const socket = at("forwarded.sock");
		using _server = await forward(onlyListAndSign(socketAgent(agent.socketPath)), socket);
		const { stdout } = await program(socket, "ssh-add", "-L");
		assert.equal(stdout, readFileSync(`${key}.pub`, "utf8"));
		await signs(socket, key);
		for (const change of [["-D"], ["-d", key], [at("key")]]) {
			await assert.rejects(program(socket, "ssh-add", ...change));
		}
		const lock = Buffer.concat([Uint8Array.of(22), withLength(Buffer.from("pass"))]);
		const forwarded = onlyListAndSign(socketAgent(agent.socketPath));
		assert.deepEqual(await ask(forwarded, withLength(lock)), [FAILURE]);
		assert.match(agent.list(), /ED25519/);
	});

	it("passes on everything to a raw socket", async () => {
		using agent = startSshAgent(at("raw-real.sock"), [key]);
		const socket = at("raw.sock");
		using _server = await forward(rawSocket(agent.socketPath), socket);
		await program(socket, "ssh-add", "-D");
		assert.equal(await countKeys(agent.socketPath, signal), 0);
	});

	it("answers several requests that come at once, in order, and refuses what it does not know", async () => {
		const agent = onlyListAndSign(keyAgent([]));
		const list = withLength(Uint8Array.of(11));
		const unknown = withLength(Uint8Array.of(27, 1, 2, 3));
		assert.deepEqual(await ask(agent, list, unknown, list), [12, FAILURE, 12]);
	});

	it("fails a signature with a key that it does not hold", async () => {
		const request = [
			Uint8Array.of(13),
			withLength(Buffer.from("key")),
			withLength(Buffer.alloc(1)),
		];
		const message = withLength(Buffer.concat([...request, Buffer.alloc(4)]));
		assert.deepEqual(await ask(onlyListAndSign(keyAgent([])), message), [FAILURE]);
	});

	it("ends a connection on which something else than the protocol comes", async () => {
		const agent = onlyListAndSign(keyAgent([]));
		const bad = [
			Buffer.from("GET / HTTP/1.1\r\n"),
			withLength(Uint8Array.of()),
			withLength(Uint8Array.of(11)).subarray(0, 3),
			withLength(Uint8Array.of(13, 255, 255, 255, 255)),
		];
		for (const bytes of bad) {
			await assert.rejects(ask(agent, bytes), /something else than its protocol/);
		}
	});

	it("says that the user's agent is gone", async () => {
		const agent = startSshAgent(at("dying.sock"), []);
		const forwarded = onlyListAndSign(socketAgent(agent.socketPath));
		assert.deepEqual(await ask(forwarded, withLength(Uint8Array.of(11))), [12]);
		rmSync(agent.socketPath);
		agent[Symbol.dispose]();
		await assert.rejects(ask(forwarded, withLength(Uint8Array.of(11))), {
			name: "UsageError",
			message: `the ssh agent at ${agent.socketPath} does not answer: no such file or directory`,
		});
	});

	it("counts an agent's keys, and tells an agent from another server", async () => {
		using agent = startSshAgent(at("count.sock"), [key]);
		assert.equal(await countKeys(agent.socketPath, signal), 1);
		const others: [string, (socket: Socket) => void][] = [
			["http", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
			["silence", (socket) => socket.resume().once("data", () => socket.end())],
			["failure", (socket) => socket.end(withLength(Uint8Array.of(FAILURE)))],
		];
		for (const [name, serve] of others) {
			using _server = await listen(at(name), serve);
			await assert.rejects(countKeys(at(name), signal), {
				name: "UsageError",
				message: `${at(name)} is a socket, but no ssh agent answers on it`,
			});
		}
	});

	it("takes no key that cannot sign", () => {
		const file = makeKey(at("signs"), "ed25519");
		assert.equal(
			agentKey(ssh2.utils.parseKey(readFileSync(`${file}.pub`)) as ParsedKey),
			undefined,
		);
	});
});

describe("the ssh agents of a session", () => {
	const echo: ForwardedAgent = { serve: (incoming) => incoming };

	async function open() {
		const [ours, theirs] = duplexPair();
		const failures: unknown[] = [];
		const { methods } = sshService(new Map([["default", echo]]));
		const server = serveGrpc(ours, { methods, onFailure: (_, error) => failures.push(error) });
		return { peer: new GrpcPeer(theirs), failures, [Symbol.dispose]: () => server.close() };
	}

	const text = (value: string) =>
		frame(Buffer.from(`\n${String.fromCharCode(value.length)}${value}`));

	it("are there by their ids, and no other is", async () => {
		using session = await open();
		const answers = [];
		for (const id of ["default", "", "other"]) {
			const { status, message } = await session.peer.call(`${SSH}/CheckAgent`, text(id));
			answers.push([status, message]);
		}
		assert.deepEqual(answers, [
			["0", ""],
			["0", ""],
			["5", 'no SSH key "other" forwarded from the client'],
		]);
		const stream = session.peer.open(`${SSH}/ForwardAgent`, { "buildkit.ssh.id": "other" });
		stream.end(text("hi"));
		assert.equal((await answerOf(stream)).status, "5");
		assert.deepEqual(session.failures, []);
	});

	it("get and give bytes in messages of the session", async () => {
		using session = await open();
		const both = Buffer.concat([text("one"), text("two")]);
		const { status, responses } = await session.peer.call(`${SSH}/ForwardAgent`, both);
		assert.deepEqual([status, responses.map(String)], ["0", ["\n\x03one", "\n\x03two"]]);
		const bad = await session.peer.call(`${SSH}/ForwardAgent`, frame("\n\x09short"));
		assert.equal(bad.status, "13");
		assert.deepEqual(session.failures, []);
	});
});
