import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Prompt } from "../../src/environment.js";
import { ConnectionError } from "../../src/errors.js";
import { NeedsSystemSsh } from "../../src/transport/ssh/system-ssh/needs-system-ssh.js";
import { rbuild } from "../support/cli.js";
import { suiteUnless } from "../support/requirement.js";
import {
	clientWith,
	connectionFailure,
	hostSection,
	never,
	openTo,
	ping,
	startPingServer,
} from "../support/ssh-client.js";
import { type Sshd, startSshd, whyNoSshd } from "../support/sshd.js";
import { startOnTerminal, whyNoTerminal } from "../support/terminal.js";

const why = whyNoSshd() ?? whyNoTerminal();
suiteUnless(why, "host keys", () => {
	let directory: string;
	let daemon: Server;
	let on: string;
	let sshd: Sshd;
	before(async () => {
		directory = await mkdtemp(join(tmpdir(), "rbuild-host-keys-"));
		const socketPath = join(directory, "daemon.sock");
		daemon = startPingServer(socketPath);
		on = `ssh://box${socketPath}`;
		sshd = await startSshd({ hostKeyTypes: ["ed25519", "ecdsa", "rsa"] });
	});
	after(async () => {
		daemon.close();
		await sshd.stop();
		await rm(directory, { recursive: true });
	});

	const name = () => `[${sshd.host}]:${sshd.port}`;
	const publicKey = async (index: number, of = sshd) =>
		(await readFile(`${of.hostKeyFiles[index]}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
	const fingerprintOf = (index: number) =>
		execFileSync("ssh-keygen", ["-lf", `${sshd.hostKeyFiles[index]}.pub`], {
			encoding: "utf8",
		}).split(" ")[1] ?? "";
	const newFile = async (text = "") => {
		const file = join(directory, `known-${randomBytes(4).toString("hex")}`);
		await writeFile(file, text);
		return file;
	};
	const strangersKey = async () => {
		const file = join(directory, `key-${randomBytes(4).toString("hex")}`);
		execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
		return (await readFile(`${file}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
	};
	const config = (knownHosts: string, strictness = "ask", lines: readonly string[] = []) =>
		hostSection("box", sshd, [
			...[`UserKnownHostsFile ${knownHosts}`, `StrictHostKeyChecking ${strictness}`],
			...lines,
		]);

	/** Somebody who answers, one after the other, and keeps the questions. */
	function answering(...answers: readonly (string | undefined)[]) {
		const questions: string[] = [];
		const prompt: Prompt = {
			async ask(question) {
				questions.push(question);
				return answers[questions.length - 1];
			},
		};
		return { prompt, questions };
	}

	suite("that nobody knows", () => {
		test("are shown to the user, and written down after a yes or the fingerprint itself", async () => {
			for (const answer of ["yes", "YES ", fingerprintOf(0)]) {
				const file = await newFile();
				const { prompt, questions } = answering("what?", answer);
				const client = await clientWith(directory, config(file), { prompt });
				await using transport = await openTo(on, client);
				assert.equal(await ping(await transport.open(never)), "pong");
				assert.equal(questions.length, 2);
				assert.ok(questions[0]?.includes(`ssh-ed25519 key fingerprint is ${fingerprintOf(0)}`));
				assert.equal(await readFile(file, "utf8"), `${name()} ${await publicKey(0)}\n`);
			}
		});

		test("are refused after a no, an empty answer and the end of the input", async () => {
			for (const answer of ["no", "", undefined]) {
				const file = await newFile();
				const { prompt } = answering(answer);
				const client = await clientWith(directory, config(file), { prompt });
				const error = await connectionFailure(on, client);
				assert.equal(error.failure, "host-key-unknown");
				assert.equal(await readFile(file, "utf8"), "");
			}
		});

		test("are no question where the configuration or the machine says so", async () => {
			const { prompt, questions } = answering();
			for (const [strictness, lines] of [
				["yes", []],
				["ask", ["BatchMode yes"]],
			] as const) {
				const text = config(await newFile(), strictness, lines);
				const error = await connectionFailure(on, await clientWith(directory, text, { prompt }));
				assert.equal(error.failure, "host-key-unknown");
			}
			assert.deepEqual(questions, []);
			const error = await connectionFailure(
				on,
				await clientWith(directory, config(await newFile())),
			);
			assert.ok(error.hint?.endsWith(` --fingerprint ${fingerprintOf(0)}`), error.hint);
		});

		test("may take the user longer than a connection may take", async () => {
			const slow: Prompt = {
				async ask() {
					await setTimeout(1500);
					return "yes";
				},
			};
			const text = config(await newFile(), "ask", ["ConnectTimeout 1"]);
			await using transport = await openTo(on, await clientWith(directory, text, { prompt: slow }));
			assert.equal(await ping(await transport.open(never)), "pong");
		});

		test("are a question no longer once the server has hung up", async () => {
			await using hasty = await startSshd({ config: ["LoginGraceTime 1"] });
			let withdrawn = false;
			const patient: Prompt = {
				ask: (_, { signal }) =>
					new Promise((_resolve, reject) => {
						signal.addEventListener("abort", () => {
							withdrawn = true;
							reject(signal.reason);
						});
					}),
			};
			const text = hostSection("box", hasty, [
				...[`UserKnownHostsFile ${await newFile()}`, "StrictHostKeyChecking ask"],
			]);
			const error = await connectionFailure(
				on,
				await clientWith(directory, text, { prompt: patient }),
			);
			assert.match(error.message, /^cannot reach box /);
			assert.ok(withdrawn);
		});

		test("are added behind what is there, hashed where that is wished", async () => {
			const before = "# mine\nother ssh-ed25519 AAAA";
			const file = await newFile(before);
			const text = config(file, "accept-new", ["HashKnownHosts yes"]);
			await using transport = await openTo(on, await clientWith(directory, text));
			assert.equal(await ping(await transport.open(never)), "pong");
			const lines = (await readFile(file, "utf8")).split("\n");
			assert.deepEqual(lines.slice(0, 2), before.split("\n"));
			assert.ok(lines[2]?.startsWith("|1|") && lines[2].endsWith(await publicKey(0)), lines[2]);
			assert.deepEqual(lines.slice(3), [""]);
			const found = execFileSync("ssh-keygen", ["-F", name(), "-f", file], { encoding: "utf8" });
			assert.match(found, /line 3/);
		});

		test("are told of with the lines that should have had them", async () => {
			const file = await newFile(`# first\n${name()} ssh-ed25519 AAAAbroken\n`);
			const error = await connectionFailure(on, await clientWith(directory, config(file)));
			assert.equal(error.failure, "host-key-unknown");
			assert.ok(error.message.endsWith(`; ${file}:2 is malformed`), error.message);
		});

		test("are told of with the file that could not be read", async () => {
			const error = await connectionFailure(on, await clientWith(directory, config(directory)));
			assert.equal(error.failure, "host-key-unknown");
			assert.ok(
				error.message.endsWith(`; ${directory} cannot be read (it is a directory)`),
				error.message,
			);
		});

		test("are not taken for changed where another one is known without the port", async () => {
			const file = await newFile(`${sshd.host} ${await strangersKey()}\n`);
			const error = await connectionFailure(on, await clientWith(directory, config(file)));
			assert.equal(error.failure, "host-key-unknown");
		});
	});

	test("that have changed are no question", async () => {
		const file = await newFile(`${name()} ${await strangersKey()}\n`);
		const { prompt, questions } = answering("yes");
		const client = await clientWith(directory, config(file, "no"), { prompt });
		const error = await connectionFailure(on, client);
		assert.equal(error.failure, "host-key-changed");
		assert.ok(error.message.includes(`${file}:1 knows ssh-ed25519`), error.message);
		assert.deepEqual(questions, []);
	});

	test("are negotiated as HostKeyAlgorithms says, the known ones first", async () => {
		const file = await newFile(
			`${name()} ${await publicKey(0)}\n${name()} ${await publicKey(2)}\n`,
		);
		const text = config(file, "yes", ["HostKeyAlgorithms rsa-sha2-512,ecdsa-sha2-nistp256"]);
		await using transport = await openTo(on, await clientWith(directory, text));
		assert.equal(await ping(await transport.open(never)), "pong");
		const none = config(file, "yes", ["HostKeyAlgorithms ecdsa-sha2-nistp256"]);
		const error = await connectionFailure(on, await clientWith(directory, none));
		assert.equal(error.failure, "host-key-changed");
	});

	suite("of a certificate authority", () => {
		const builtin = async (text: string) => ({
			...(await clientWith(directory, text)),
			sshClient: "builtin" as const,
		});

		test("are checked by the ssh program, by itself", async () => {
			const key = join(directory, "certified");
			const authority = join(directory, "authority");
			for (const file of [key, authority]) {
				execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
			}
			const sign = ["-q", "-s", authority, "-h", "-I", "box", "-n", "127.0.0.1", `${key}.pub`];
			execFileSync("ssh-keygen", sign);
			const lines = [`HostKey ${key}`, `HostCertificate ${key}-cert.pub`];
			await using certified = await startSshd({ config: lines });
			const trusted = (await readFile(`${authority}.pub`, "utf8")).split(" ").slice(0, 2);
			const file = await newFile(`@cert-authority * ${trusted.join(" ")}\n`);
			const known = [`UserKnownHostsFile ${file}`, "StrictHostKeyChecking yes"];
			const text = hostSection("box", certified, known);
			await using transport = await openTo(on, await clientWith(directory, text));
			assert.match(transport.route, /^the ssh program \(the host certificate that /);
			assert.equal(await ping(await transport.open(never)), "pong");
		});

		test("are left to the ssh program where there is no other", async () => {
			const file = await newFile(`# ours\n@cert-authority [127.0.0.*]:* ${await strangersKey()}\n`);
			const error = await connectionFailure(on, await builtin(config(file)));
			assert.ok(error instanceof NeedsSystemSsh);
			assert.equal(error.failure, "host-key-unknown");
			assert.equal(error.reason, `the host certificate that ${file}:2 asks for`);
		});

		test("do not matter where the server's own key is known", async () => {
			const authority = `@cert-authority * ${await strangersKey()}`;
			const file = await newFile(`${authority}\n${name()} ${await publicKey(0)}\n`);
			await using transport = await openTo(on, await clientWith(directory, config(file)));
			assert.equal(await ping(await transport.open(never)), "pong");

			const other = await newFile(`${authority}\n${name()} ${await strangersKey()}\n`);
			const error = await connectionFailure(on, await builtin(config(other)));
			assert.ok(error instanceof NeedsSystemSsh, String(error));
		});
	});

	suite("of those who are no ssh server", () => {
		async function speaker(speak: (socket: Socket) => void) {
			const server = createServer((socket) => {
				socket.on("error", () => {}).resume();
				speak(socket);
			}).listen(0, "127.0.0.1");
			await once(server, "listening");
			return { server, port: (server.address() as AddressInfo).port };
		}
		const megabytes = Buffer.alloc(10 * 1024 * 1024, "x");

		for (const [what, speak] of [
			["10 MB without an end", (socket: Socket) => socket.write(megabytes)],
			[
				"10 MB of lines",
				(socket: Socket) =>
					socket.write(megabytes.toString().replace(/x{80}/g, `${"x".repeat(78)}\r\n`)),
			],
			["nothing at all", () => {}],
			[
				"a line now and then",
				(socket: Socket) => {
					const timer = setInterval(() => socket.write("hello\r\n"), 100);
					socket.once("close", () => clearInterval(timer));
				},
			],
			[
				"its version, and nothing more",
				(socket: Socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"),
			],
		] as const) {
			test(`and say ${what} end in one line, within the connect timeout`, async () => {
				const { server, port } = await speaker(speak);
				const text = `Host box\nHostName 127.0.0.1\nPort ${port}\nConnectTimeout 1\n`;
				const error = await connectionFailure(on, await clientWith(directory, text));
				server.close();
				assert.equal(error.failure, "protocol", error.message);
				assert.ok(error.message.startsWith(`cannot reach box (127.0.0.1:${port}): `));
				assert.ok(error.message.length < 300, error.message);
			});
		}
	});

	suite("rbuild hosts trust", () => {
		const flagsOf = async (text: string) => {
			const { sshConfigFile = "" } = await clientWith(directory, text);
			return ["--ssh-config", sshConfigFile];
		};

		test("writes the key that has the fingerprint, whichever type it is", async () => {
			for (const index of [0, 1, 2]) {
				const file = await newFile();
				const flags = await flagsOf(config(file, "yes"));
				const trust = ["hosts", "trust", "box", "--fingerprint", fingerprintOf(index), ...flags];
				const { code, stdout, stderr } = await rbuild(trust);
				assert.equal(stderr, "");
				assert.equal(code, 0);
				assert.ok(stdout.endsWith(`${fingerprintOf(index)} to ${file}\n`), stdout);
				assert.equal(await readFile(file, "utf8"), `${name()} ${await publicKey(index)}\n`);
				const ssh = ["-F", flags[1] ?? "", "box", "echo there"];
				assert.equal(execFileSync("ssh", ssh, { encoding: "utf8" }), "there\n");

				const again = await rbuild(trust);
				assert.equal(again.code, 0);
				assert.ok(again.stdout.endsWith(`is known by ${file}:1\n`), again.stdout);
			}
		});

		test("refuses another fingerprint, and one that is none", async () => {
			const file = await newFile();
			const flags = await flagsOf(config(file));
			const wrong = `SHA256:${"A".repeat(43)}`;
			const other = await rbuild(["hosts", "trust", "box", "--fingerprint", wrong, ...flags]);
			assert.equal(other.code, 4);
			assert.match(
				other.stderr,
				/^error: box \(\S+\) shows ssh-ed25519 SHA256:.*, and not SHA256:AAA/,
			);
			assert.ok(other.stderr.includes(`ssh-rsa ${fingerprintOf(2)}`), other.stderr);
			const none = await rbuild(["hosts", "trust", "box", "--fingerprint", "12:34", ...flags]);
			assert.equal(none.code, 2);
			assert.match(
				none.stderr,
				/^error: --fingerprint "12:34" is not a SHA256 fingerprint\nhint: /,
			);
			assert.equal(await readFile(file, "utf8"), "");
		});

		test("refuses a changed key, and a revoked one", async () => {
			const key = await publicKey(0);
			for (const [line, reason] of [
				[`${name()} ${await strangersKey()}`, /host key changed: .*:1 knows/],
				[`@revoked * ${key}`, /is revoked in .*:1/],
				// Whatever the port is.
				[`@revoked ${sshd.host} ${key}`, /is revoked in .*:1/],
			] as const) {
				const file = await newFile(`${line}\n`);
				const flags = await flagsOf(config(file));
				const trust = ["hosts", "trust", "box", "--fingerprint", fingerprintOf(0), ...flags];
				const { code, stderr } = await rbuild(trust);
				assert.equal(code, 4);
				assert.match(stderr, reason);
				assert.equal(await readFile(file, "utf8"), `${line}\n`);
			}
		});

		test("asks at a terminal, and prints the line to run where there is none", async () => {
			const file = await newFile();
			const flags = await flagsOf(config(file));
			const { code, stderr } = await rbuild(["hosts", "trust", "box", ...flags]);
			assert.equal(code, 2);
			assert.ok(
				stderr.endsWith(
					`run: rbuild hosts trust box ${flags.join(" ")} --fingerprint ${fingerprintOf(0)}\n`,
				),
				stderr,
			);

			const terminal = startOnTerminal(
				`'${process.execPath}' bin/rbuild.js hosts trust box ${flags.join(" ")}`,
			);
			await terminal.shows("(yes/no/[fingerprint])? ");
			assert.ok(terminal.screen().includes(fingerprintOf(0)));
			terminal.type("yes\r");
			await terminal.shows(`to ${file}`);
			assert.equal(await terminal.end(), 0);
			assert.equal(await readFile(file, "utf8"), `${name()} ${await publicKey(0)}\n`);
		});

		test("says where the key cannot be written", async () => {
			const file = join(await newFile(), "known_hosts");
			const trust = ["hosts", "trust", "box", "--fingerprint", fingerprintOf(0)];
			const { code, stderr } = await rbuild([...trust, ...(await flagsOf(config(file, "yes")))]);
			assert.equal(code, 6);
			assert.match(stderr, /^error: the host key of box .* cannot be saved: cannot add it to /);
			assert.match(stderr, /^hint: name a file that you may write to as UserKnownHostsFile/m);
		});

		test("goes through jump hosts", async () => {
			await using gate = await startSshd();
			const file = await newFile();
			const text = config(file, "yes", ["ProxyJump gate"]) + hostSection("gate", gate);
			const trust = ["hosts", "trust", "box", "--fingerprint", fingerprintOf(0)];
			const { code, stderr } = await rbuild([...trust, ...(await flagsOf(text))]);
			assert.equal(stderr, "");
			assert.equal(code, 0);
			assert.equal(await readFile(file, "utf8"), `${name()} ${await publicKey(0)}\n`);
		});

		test("is for boxes that are reached by ssh", async () => {
			const { code, stderr } = await rbuild(["hosts", "trust", "unix:///run/docker.sock"]);
			assert.equal(code, 2);
			assert.match(stderr, /is not reached by ssh/);
		});
	});

	test("are a question below the live screen of a build, and none in CI", async () => {
		await writeFile(join(directory, "Dockerfile"), "FROM scratch\n");
		const { sshConfigFile } = await clientWith(directory, config(await newFile()));
		const command = `'${process.execPath}' bin/rbuild.js ${directory} --on ${on} --ssh-config ${sshConfigFile}`;
		const terminal = startOnTerminal(command);
		await terminal.shows("(yes/no/[fingerprint])? ");
		const asked = terminal.screen().length;
		// Long enough for a frame, if there were one.
		await setTimeout(300);
		assert.doesNotMatch(terminal.screen().slice(asked), /Building/, "the screen is left alone");
		terminal.type("no\r");
		await terminal.shows("host key unknown");
		assert.equal(await terminal.end(), 4);

		const ci = startOnTerminal(command, { CI: "true" });
		assert.equal(await ci.end(), 4);
		assert.match(ci.screen(), /rbuild hosts trust box --ssh-config \S+ --fingerprint SHA256:/);
		assert.doesNotMatch(ci.screen(), /yes\/no/);
	});

	test("that are interrupted at the question end the run", async () => {
		const interruption = new AbortController();
		const prompt: Prompt = {
			ask: (_, { signal }) =>
				new Promise((_resolve, reject) => {
					signal.addEventListener("abort", () => reject(signal.reason));
					interruption.abort();
				}),
		};
		const client = await clientWith(directory, config(await newFile()), { prompt });
		await assert.rejects(
			openTo(on, client, { signal: interruption.signal }),
			(error) => !(error instanceof ConnectionError),
		);
	});
});
