import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { SshOption } from "../../../../src/build/plan/options.js";
import { openAgents } from "../../../../src/build/plan/ssh-agents.js";
import type { BuildEvent } from "../../../../src/events.js";
import { makeKey, startSshAgent, whyNoSshAgent } from "../../../support/ssh-programs.js";

const skip = whyNoSshAgent() ?? false;

suite("the ssh agents of a build", { skip }, () => {
	let directory: string;
	let key: string;
	before(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-ssh-"));
		key = makeKey(join(directory, "key"), "ed25519");
	});
	after(() => rmSync(directory, { recursive: true, force: true }));

	const at = (name: string) => join(directory, name);

	async function open(options: readonly SshOption[], socket?: string) {
		const events: BuildEvent[] = [];
		const environment = {
			variables: { SSH_AUTH_SOCK: socket },
			homeDirectory: "/nonexistent",
			userName: "me",
			platform: "linux" as const,
			workingDirectory: directory,
		};
		const signal = new AbortController().signal;
		const emit = (event: BuildEvent) => void events.push(event);
		return { agents: await openAgents(options, environment, { signal, emit }), events };
	}

	test("are known by their ids, the last of an id counting", async () => {
		using agent = startSshAgent(at("agent"), [key]);
		const options = [
			{ id: "default" },
			{ id: "keys", paths: ["missing"] },
			{ id: "keys", paths: ["key"] },
			{ id: "raw", paths: ["agent"], raw: true },
			{ id: "socket", paths: [agent.socketPath] },
		];
		const { agents, events } = await open(options, agent.socketPath);
		assert.deepEqual([...agents.keys()], ["default", "keys", "raw", "socket"]);
		assert.deepEqual(events, []);
	});

	test("may be without keys, which is worth a warning", async () => {
		using agent = startSshAgent(at("empty"), []);
		const { events } = await open([{ id: "default" }], agent.socketPath);
		assert.deepEqual(
			events.map((event) => event.type === "warning" && event.message),
			["the ssh agent of --ssh default has no keys"],
		);
	});

	test("take a key in the formats that a login takes", async () => {
		const { privateKey } = generateKeyPairSync("ed25519");
		for (const [type, pem] of [
			["PKCS#8", privateKey.export({ format: "pem", type: "pkcs8" })],
			["OpenSSH", readFileSync(at("key"))],
		] as const) {
			const file = at(`as ${type}`);
			writeFileSync(file, pem);
			assert.equal((await open([{ id: "default", paths: [file] }])).agents.size, 1, type);
		}
	});

	test("are looked at before anything is sent", async () => {
		makeKey(at("encrypted"), "ed25519", { passphrase: "hunter2" });
		writeFileSync(at("poem"), "no key");
		writeFileSync(at("nothing"), "");
		mkdirSync(at("folder"));
		const http = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
		http.listen(at("http"));
		await once(http, "listening");
		using agent = startSshAgent(at("real"), []);
		const refused: [Partial<SshOption>, RegExp][] = [
			[{}, /--ssh default needs an ssh agent, and SSH_AUTH_SOCK is not set$/],
			[{ paths: ["gone"] }, /gone is neither an agent's socket nor a key: it does not exist$/],
			[{ paths: ["folder"] }, /folder is neither .*: it cannot be read: it is a directory$/],
			[{ paths: ["poem"] }, /poem: it is neither an agent's socket nor a private key$/],
			[{ paths: ["nothing"] }, /nothing: it is neither an agent's socket nor a private key$/],
			[{ paths: ["key.pub"] }, /key\.pub: that is a public key$/],
			[{ paths: ["encrypted"] }, /encrypted: the key has a passphrase$/],
			[{ paths: ["http"] }, /http is a socket, but no ssh agent answers on it$/],
			[{ paths: ["key", "real"] }, /a socket cannot be combined with other paths$/],
			[{ paths: ["real", "key"] }, /a socket cannot be combined with other paths$/],
			[{ paths: ["key"], raw: true }, /key is not a socket, as raw=true needs it$/],
			[{ raw: true }, /raw=true needs exactly one socket$/],
		];
		for (const [option, message] of refused) {
			await assert.rejects(open([{ id: "default", ...option }]), { name: "UsageError", message });
		}
		rmSync(agent.socketPath);
		await assert.rejects(
			open([{ id: "x" }], agent.socketPath),
			/--ssh x \(SSH_AUTH_SOCK\): .* does not exist$/,
		);
		http.close();
	});
});
