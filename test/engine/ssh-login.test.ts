import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Environment, Prompt, SshClient } from "../../src/environment.js";
import { ConnectionError, InterruptedError } from "../../src/errors.js";
import type { BuildEvent } from "../../src/events.js";
import { parseTarget } from "../../src/target/parse-target.js";
import { openTransport, readTransportSettings } from "../../src/transport/open-transport.js";
import type { Transport } from "../../src/transport/transport.js";
import { startAskingSshd } from "../support/asking-sshd.js";
import { suiteUnless } from "../support/requirement.js";
import { makeKey, startSshAgent, whyNoSshAgent } from "../support/ssh-programs.js";
import { type Sshd, startSshd, whyNoSshd } from "../support/sshd.js";

const never = new AbortController().signal;
const why = whyNoSshd() ?? whyNoSshAgent();
const PASSPHRASE = "open sesame 4711";

let folder: string;
let daemon: Server;
let socket: string;

interface Client {
	readonly sshConfigFile: string;
	readonly alias: string;
	/** Lines for the alias, in front of its own. */
	readonly lines?: readonly string[];
	readonly prompt?: Prompt;
	readonly variables?: Readonly<Record<string, string>>;
	readonly emit?: (event: BuildEvent) => void;
	readonly platform?: NodeJS.Platform;
	readonly sshClient?: SshClient;
}

async function open({
	alias,
	lines = [],
	prompt,
	variables,
	emit,
	platform = process.platform,
	sshClient = "auto",
	...client
}: Client): Promise<Transport> {
	const text = await readFile(client.sshConfigFile, "utf8");
	const sshConfigFile = join(await mkdtemp(join(folder, "client-")), "config");
	// Our lines come first, and the keys of the alias go.
	const rest = text.replace(/^ {2}Identit(yFile|iesOnly) .*\n/gm, "");
	await writeFile(sshConfigFile, `${lines.join("\n")}\n${rest}`);
	const environment: Environment = {
		variables: { PATH: process.env.PATH, ...variables },
		homeDirectory: folder,
		userName: userInfo().username,
		platform,
		sshClient,
		workingDirectory: folder,
		sshConfigFile,
		prompt,
	};
	const chosen = { target: parseTarget(`ssh://${alias}${socket}`), chosenBy: "--on" };
	return await openTransport(
		chosen,
		readTransportSettings(chosen, environment, never),
		never,
		emit,
	);
}

async function failureOf(client: Client): Promise<ConnectionError> {
	try {
		await using transport = await open(client);
		return assert.fail(`it got in by ${transport.route}`);
	} catch (error) {
		assert.ok(error instanceof ConnectionError, String(error));
		assert.equal(error.failure, "not-authenticated", error.message);
		assert.match(error.message, /^[^\n]+$/);
		return error;
	}
}

async function getsIn(client: Client): Promise<void> {
	await using transport = await open(client);
	assert.equal(transport.route, "ssh, streamlocal");
}

/** Somebody who types these answers, one after the other. */
function typing(
	...answers: readonly (string | undefined)[]
): Prompt & { readonly asked: string[] } {
	const asked: string[] = [];
	const left = [...answers];
	return {
		asked,
		async ask(question, { hidden }) {
			assert.equal(hidden, true, `what answers "${question}" is not shown`);
			asked.push(question);
			return left.shift();
		},
	};
}

suiteUnless(why, "logging in", () => {
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "rbuild-login-"));
		socket = join(folder, "daemon.sock");
		daemon = createServer((_request, response) => response.end("pong")).listen(socket);
		await once(daemon, "listening");
	});
	after(async () => {
		daemon.close();
		await rm(folder, { recursive: true });
	});

	/** A box that lets in whoever has one of these keys. */
	async function boxFor(...files: readonly string[]): Promise<Sshd> {
		return await boxWith([], ...files);
	}

	async function boxWith(config: readonly string[], ...files: readonly string[]): Promise<Sshd> {
		const authorized = join(await mkdtemp(join(folder, "box-")), "authorized_keys");
		const keys = files.map((file) => execFileSync("cat", [`${file}.pub`], { encoding: "utf8" }));
		await writeFile(authorized, keys.join("\n"));
		return await startSshd({ config: [`AuthorizedKeysFile ${authorized}`, ...config] });
	}

	const keyNames = new Set<string>();
	function newKey(type: string, options: Parameters<typeof makeKey>[2] = {}): string {
		const file = join(folder, `${type}-${keyNames.size}`);
		keyNames.add(file);
		return makeKey(file, type, options);
	}

	suite("with a key file", () => {
		/** Rewrites a key in one of ssh-keygen's formats. */
		const rewrite = (file: string, format: string, passphrase: string) =>
			execFileSync("ssh-keygen", [
				"-q",
				"-p",
				"-m",
				format,
				"-P",
				"",
				"-N",
				passphrase,
				"-f",
				file,
			]);

		for (const [name, make] of [
			["OpenSSH's, ed25519", (passphrase) => newKey("ed25519", { passphrase })],
			["OpenSSH's, ecdsa", (passphrase) => newKey("ecdsa", { passphrase })],
			["OpenSSH's, rsa", (passphrase) => newKey("rsa", { bits: "2048", passphrase })],
			...(["PEM", "PKCS8"] as const).flatMap((format) =>
				["rsa", "ecdsa"].map((type): [string, (passphrase: string) => string] => [
					`${format}, ${type}`,
					(passphrase) => {
						const file = newKey(type);
						rewrite(file, format, passphrase);
						return file;
					},
				]),
			),
		] as [string, (passphrase: string) => string][]) {
			test(`of the format ${name}`, async () => {
				const plain = make("");
				const locked = make(PASSPHRASE);
				await using box = await boxFor(plain, locked);
				await getsIn({ ...box, lines: [`IdentityFile ${plain}`] });

				const user = typing("wrong", "wrong again", PASSPHRASE);
				await getsIn({ ...box, lines: [`IdentityFile ${locked}`], prompt: user });
				assert.deepEqual(user.asked, [
					`Enter passphrase for key '${locked}': `,
					`Bad passphrase, try again for ${locked}: `,
					`Bad passphrase, try again for ${locked}: `,
				]);
			});
		}

		test("of PKCS#8 and ed25519, without its public half beside it", async () => {
			const pair = generateKeyPairSync("ed25519");
			const file = join(folder, "pkcs8-ed25519");
			for (const passphrase of [undefined, PASSPHRASE]) {
				const locked = passphrase !== undefined && { cipher: "aes-256-cbc", passphrase };
				const pem = pair.privateKey.export({ format: "pem", type: "pkcs8", ...(locked || {}) });
				await writeFile(file, pem, { mode: 0o600 });
				const { x = "" } = pair.publicKey.export({ format: "jwk" });
				const blob = Buffer.concat([
					Buffer.from("\0\0\0\vssh-ed25519\0\0\0 ", "latin1"),
					Buffer.from(x, "base64url"),
				]);
				await writeFile(`${file}.pub`, `ssh-ed25519 ${blob.toString("base64")}\n`);
				await using box = await boxFor(file);
				await rm(`${file}.pub`);
				const user = typing(PASSPHRASE);
				await getsIn({ ...box, lines: [`IdentityFile ${file}`], prompt: user });
				assert.equal(user.asked.length, passphrase === undefined ? 0 : 1);
			}
		});

		test("asks for no passphrase of a key that the server would not take", async () => {
			const [stranger, key] = [newKey("ed25519", { passphrase: PASSPHRASE }), newKey("ed25519")];
			await rm(`${stranger}.pub`);
			await using box = await boxFor(key);
			const user = typing();
			const lines = [`IdentityFile ${stranger}`, `IdentityFile ${key}`];
			await getsIn({ ...box, lines, prompt: user });
			assert.deepEqual(user.asked, []);
		});

		test("goes on to the next key after three wrong passphrases, and says so in the end", async () => {
			const locked = newKey("ed25519", { passphrase: PASSPHRASE });
			await using box = await boxFor(locked);
			const user = typing("one", "two", "three", PASSPHRASE);
			const error = await failureOf({ ...box, lines: [`IdentityFile ${locked}`], prompt: user });
			assert.equal(user.asked.length, 3);
			const said = `the key ${locked} is locked: its passphrase was not given: tried ${locked}`;
			assert.ok(error.message.includes(said), error.message);
			assert.equal(error.hint, `add the key to the agent first, with: ssh-add ${locked}`);
		});

		test("asks no longer than the server waits", async () => {
			const locked = newKey("ed25519", { passphrase: PASSPHRASE });
			await using box = await boxWith(["LoginGraceTime 1"], locked);
			let askedFor: AbortSignal | undefined;
			const prompt: Prompt = {
				ask: (_question, { signal }) =>
					new Promise((_resolve, reject) => {
						askedFor = signal;
						signal.addEventListener("abort", () => reject(new InterruptedError("interrupted")));
					}),
			};
			await assert.rejects(open({ ...box, lines: [`IdentityFile ${locked}`], prompt }), (error) => {
				assert.ok(error instanceof ConnectionError);
				assert.equal(error.failure, "unreachable", error.message);
				return true;
			});
			assert.equal(askedFor?.aborted, true);
		});

		test("names ssh-add where nobody can be asked, in CI or with BatchMode", async () => {
			const locked = newKey("ed25519", { passphrase: PASSPHRASE });
			await using box = await boxFor(locked);
			const user = typing(PASSPHRASE);
			for (const client of [
				{ ...box, lines: [`IdentityFile ${locked}`] },
				{ ...box, lines: [`IdentityFile ${locked}`, "BatchMode yes"], prompt: user },
			]) {
				const error = await failureOf(client);
				const said = `the key ${locked} has a passphrase, and there is no terminal to ask on`;
				assert.ok(error.message.includes(said), error.message);
				assert.equal(error.hint, `add the key to the agent first, with: ssh-add ${locked}`);
			}
			assert.deepEqual(user.asked, []);
		});

		test("leaves a key to the ssh program whose passphrase macOS's keychain may have", async () => {
			const locked = newKey("ed25519", { passphrase: PASSPHRASE });
			await using box = await boxFor(locked);
			// In place of a keychain.
			const program = join(folder, "keychain");
			await writeFile(program, `#!/bin/sh\necho '${PASSPHRASE}'\n`);
			await chmod(program, 0o700);
			const variables = { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: "force" };
			const key = `IdentityFile ${locked}`;
			const lines = ["IgnoreUnknown UseKeychain", "UseKeychain yes", key];
			const user = typing(PASSPHRASE);
			const mac: Client = { ...box, lines, platform: "darwin", prompt: user };
			await using transport = await open({ ...mac, variables });
			assert.equal(
				transport.route,
				`the ssh program (the passphrase of ${locked} in the keychain), streamlocal`,
			);
			await getsIn({
				...mac,
				lines: ["IgnoreUnknown UseKeychain", "UseKeychain no", key],
				variables,
			});
			await getsIn({ ...mac, platform: "linux", variables });
			await getsIn({ ...mac, sshClient: "builtin", variables });
			assert.deepEqual(user.asked, []);
			const error = await failureOf({
				...box,
				lines: [...lines, "BatchMode yes"],
				platform: "darwin",
			});
			assert.equal(
				error.hint,
				`add the key to the agent first, with: ssh-add --apple-use-keychain ${locked}`,
			);
		});

		test("asks the program of SSH_ASKPASS where it must be used, or there is no terminal", async () => {
			const locked = newKey("ed25519", { passphrase: PASSPHRASE });
			await using box = await boxFor(locked);
			const program = join(folder, "askpass");
			await writeFile(program, `#!/bin/sh\necho "$1" >${program}.asked\necho '${PASSPHRASE}'\n`);
			await chmod(program, 0o700);
			const lines = [`IdentityFile ${locked}`];
			for (const [wishes, prompt] of [
				[{ SSH_ASKPASS_REQUIRE: "force" }, typing()],
				[{ SSH_ASKPASS_REQUIRE: "prefer", DISPLAY: ":9" }, typing()],
				[{ DISPLAY: ":9" }, undefined],
			] as const) {
				await rm(`${program}.asked`, { force: true });
				const variables = { SSH_ASKPASS: program, ...wishes };
				await getsIn({ ...box, lines, variables, ...(prompt && { prompt }) });
				const asked = await readFile(`${program}.asked`, "utf8");
				assert.equal(asked, `Enter passphrase for key '${locked}': \n`);
				assert.deepEqual(prompt?.asked ?? [], []);
			}
			const variables = { SSH_ASKPASS: program, DISPLAY: ":9", SSH_ASKPASS_REQUIRE: "never" };
			await failureOf({ ...box, lines, variables });
		});

		test("refuses one that others may read, as ssh does", async () => {
			const key = newKey("ed25519");
			await chmod(key, 0o644);
			await using box = await boxFor(key);
			const error = await failureOf({ ...box, lines: [`IdentityFile ${key}`] });
			const said = `skipped ${key} (its permissions 0644 are too open; run: chmod 600 ${key})`;
			assert.ok(error.message.includes(said), error.message);
		});

		test("names one that is none", async () => {
			const file = join(folder, "no-key");
			await using box = await boxFor();
			for (const content of [
				"",
				"hello\n",
				"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
				"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
				Buffer.alloc(100_000, 0xff),
			]) {
				await writeFile(file, content, { mode: 0o600 });
				const error = await failureOf({ ...box, lines: [`IdentityFile ${file}`] });
				const said = `skipped ${file} (is not a key that rbuild can use)`;
				assert.ok(error.message.includes(said), error.message);
			}
		});
	});

	suite("with an agent", () => {
		test("goes on without one that hangs, and says so", async () => {
			const key = newKey("ed25519");
			await using box = await boxFor(key);
			const hanging = join(folder, "hanging.sock");
			const agent = createSocketServer((stream) => stream.on("error", () => {}).resume());
			agent.listen(hanging);
			await once(agent, "listening");
			using _closing = { [Symbol.dispose]: () => agent.close() };
			const news: BuildEvent[] = [];
			const lines = [`IdentityFile ${key}`, `IdentityAgent ${hanging}`, "ConnectTimeout 1"];
			await getsIn({ ...box, lines, emit: (event) => news.push(event) });
			assert.deepEqual(
				news.flatMap((event) => (event.type === "warning" ? event.message : [])),
				[`the ssh agent at ${hanging} does not answer: continuing without its keys`],
			);
		});

		test("offers two keys where the server wants two", async () => {
			const [one, other] = [newKey("ed25519"), newKey("ecdsa")];
			await using box = await boxWith(["AuthenticationMethods publickey,publickey"], one, other);
			using agent = startSshAgent(join(folder, "two.sock"), [one, other]);
			await getsIn({ ...box, lines: [`IdentityAgent ${agent.socketPath}`] });
			await getsIn({ ...box, lines: [`IdentityFile ${one}`, `IdentityFile ${other}`] });

			const error = await failureOf({ ...box, lines: [`IdentityFile ${one}`] });
			assert.match(error.message, /the server asks for more than a key/);
		});
	});

	suite("where the server asks", () => {
		const QUESTIONS = [
			{ prompt: "Password:", answer: "hunter2" },
			{ prompt: "One-time \u001b[31mcode:", answer: "123456" },
		];
		const answers = QUESTIONS.map(({ answer }) => answer);

		test("for a password, which may be typed three times", async () => {
			const wanted = { methods: ["password"], password: "hunter2" } as const;
			await using box = await startAskingSshd(folder, wanted);
			const user = typing("hunter1", "", "hunter2");
			await getsIn({ ...box, prompt: user });
			assert.deepEqual(
				new Set(user.asked),
				new Set([`${userInfo().username}@127.0.0.1's password: `]),
			);

			const guesser = typing("a", "b", "c", "hunter2");
			const error = await failureOf({ ...box, prompt: guesser });
			assert.equal(guesser.asked.length, 3);
			assert.match(error.message, /tried password; the server offers password$/);
		});

		test("for answers, with nothing in its questions that could move the cursor", async () => {
			const wanted = { methods: ["keyboard-interactive"], questions: QUESTIONS } as const;
			await using box = await startAskingSshd(folder, wanted);
			const user = typing("hunter2", "654321", ...answers);
			await getsIn({ ...box, prompt: user });
			const place = `(${userInfo().username}@127.0.0.1)`;
			const asked = [`${place} Password: `, `${place} One-time code: `];
			assert.deepEqual(user.asked, [...asked, ...asked]);
		});

		test("for a key and then for a code, whoever holds the key", async () => {
			const key = newKey("ed25519");
			const methods = ["publickey", "keyboard-interactive"] as const;
			const wanted = { methods, questions: QUESTIONS, authorizedKey: `${key}.pub` };
			await using box = await startAskingSshd(folder, wanted);
			using agent = startSshAgent(join(folder, "first-factor.sock"), [key]);
			for (const line of [`IdentityFile ${key}`, `IdentityAgent ${agent.socketPath}`]) {
				await getsIn({ ...box, lines: [line], prompt: typing(...answers) });
			}
			const error = await failureOf({ ...box, lines: [`IdentityFile ${key}`] });
			assert.match(
				error.message,
				/the server asks for more than a key: tried .*; the server offers keyboard-interactive$/,
			);
		});

		test("but nobody may be asked", async () => {
			const wanted = { methods: ["password"], password: "hunter2" } as const;
			await using box = await startAskingSshd(folder, wanted);
			const user = typing("hunter2");
			for (const line of [
				"BatchMode yes",
				"PasswordAuthentication no",
				"PreferredAuthentications publickey",
			]) {
				await failureOf({ ...box, lines: [line], prompt: user });
			}
			const error = await failureOf(box);
			assert.match(error.message, /no key to try; the server offers password$/);
			assert.deepEqual(user.asked, []);
		});
	});
});
