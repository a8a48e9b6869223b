import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once, setMaxListeners } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import type { Environment } from "../../src/environment.js";
import { ConnectionError, type ConnectionFailure, InterruptedError } from "../../src/errors.js";
import type { BuildEvent } from "../../src/events.js";
import { parseTarget } from "../../src/target/parse-target.js";
import { openTransport, readTransportSettings } from "../../src/transport/open-transport.js";
import { suiteWithSshd } from "../support/requirement.js";
import { startSlowLink } from "../support/slow-link.js";
import { type Sshd, startSshd } from "../support/sshd.js";

const run = promisify(execFile);
const never = new AbortController().signal;
// The tests open more streams at once with it than node thinks reasonable.
setMaxListeners(0, never);

/** Where the tests' files live; removed at the end. */
let directory: string;
/** A server that answers as much of the Engine API as `docker version` asks for. */
let daemon: Server;
let daemonSocket: string;
/** Answers a stream that was ended with the number and the SHA-256 of the bytes that came. */
let digester: Server;
let digesterSocket: string;

before(async () => {
	directory = await mkdtemp(join(tmpdir(), "rbuild-ssh-"));
	daemonSocket = join(directory, "daemon.sock");
	daemon = createHttpServer((request, response) => {
		response.setHeader("Api-Version", "1.41");
		response.end(
			request.url?.endsWith("/version") ? JSON.stringify({ ApiVersion: "1.41" }) : "pong",
		);
	}).listen(daemonSocket);
	digesterSocket = join(directory, "digester.sock");
	digester = createServer({ allowHalfOpen: true }, (socket) => {
		const hash = createHash("sha256");
		let bytes = 0;
		socket.on("error", () => {});
		socket.on("data", (chunk) => {
			hash.update(chunk);
			bytes += chunk.length;
		});
		socket.on("end", () => socket.end(`${bytes} ${hash.digest("hex")}`));
	}).listen(digesterSocket);
	await Promise.all([once(daemon, "listening"), once(digester, "listening")]);
});

after(async () => {
	daemon.close();
	digester.close();
	await rm(directory, { recursive: true });
});

/** A configuration for the client, with the alias "box" for this sshd; later lines do not replace. */
async function clientOf(sshd: Sshd, lines: readonly string[] = []): Promise<Environment> {
	const sshConfigFile = join(directory, `config-${randomBytes(4).toString("hex")}`);
	await writeFile(
		sshConfigFile,
		`${lines.join("\n")}\nHost box\n  HostName ${sshd.host}\n  Port ${sshd.port}\n${await readFile(sshd.sshConfigFile, "utf8").then((text) => text.split("\n").slice(3).join("\n"))}`,
	);
	return {
		variables: { PATH: process.env.PATH },
		homeDirectory: homedir(),
		userName: userInfo().username,
		platform: process.platform,
		workingDirectory: directory,
		sshConfigFile,
	};
}

interface OpenOptions {
	readonly environment: Environment;
	readonly on?: string;
	readonly signal?: AbortSignal;
	readonly emit?: (event: BuildEvent) => void;
}

function open({ environment, on = `ssh://box${daemonSocket}`, signal = never, emit }: OpenOptions) {
	const chosen = { target: parseTarget(on), chosenBy: "--on" };
	return openTransport(chosen, readTransportSettings(chosen, environment, signal), signal, emit);
}

async function failureOf(options: OpenOptions): Promise<ConnectionError> {
	try {
		await using transport = await open(options);
		return assert.fail(`it was reached by ${transport.route}`);
	} catch (error) {
		assert.ok(error instanceof ConnectionError, String(error));
		assert.doesNotMatch(error.message, /\n/, "the message is one line");
		assert.notEqual(error.hint, undefined, error.message);
		return error;
	}
}

async function textOf(stream: Duplex): Promise<string> {
	let text = "";
	for await (const chunk of stream) {
		text += chunk;
	}
	return text;
}

async function ping(stream: Duplex): Promise<string> {
	stream.write("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
	return (await textOf(stream)).split("\r\n\r\n")[1] ?? "";
}

suiteWithSshd("the ssh transport", () => {
	let sshd: Sshd;
	before(async () => {
		sshd = await startSshd({ hostKeyTypes: ["ed25519", "ecdsa", "rsa"] });
	});
	after(() => sshd.stop());

	suite("reaching the daemon", () => {
		test("goes straight to its socket", async () => {
			await using transport = await open({ environment: await clientOf(sshd) });
			assert.equal(transport.route, "ssh, streamlocal");
			assert.equal(transport.target, `ssh://box${daemonSocket}`);
			assert.equal(await ping(await transport.open(never)), "pong");
			assert.equal(await ping(await transport.open(never)), "pong");
			assert.ok(transport.roundTripMs > 0);
		});

		test("works with ssh's own answer to what the alias means, and without an ssh program", async () => {
			const environment = await clientOf(sshd);
			const withoutSsh = { ...environment, variables: { PATH: join(directory, "nothing") } };
			await using transport = await open({ environment: withoutSsh });
			assert.equal(await ping(await transport.open(never)), "pong");
		});

		test("takes user, host and port from the target", async () => {
			const environment = await clientOf(sshd, ["StrictHostKeyChecking yes"]);
			const on = `ssh://${sshd.user}@${sshd.host}:${sshd.port}${daemonSocket}`;
			const lines = [
				`IdentityFile ${sshd.clientKeyFile}`,
				"IdentityAgent none",
				`UserKnownHostsFile ${sshd.knownHostsFile}`,
			];
			await writeFile(environment.sshConfigFile ?? "", lines.join("\n"));
			await using transport = await open({ environment, on });
			assert.equal(await ping(await transport.open(never)), "pong");
		});

		test("uses one connection for many streams, and counts its bytes", async () => {
			await using transport = await open({ environment: await clientOf(sshd) });
			const connections = () => sshd.log().match(/Connection from/g)?.length ?? 0;
			const before = connections();
			const { sent } = transport.wire;
			const streams = await Promise.all(Array.from({ length: 20 }, () => transport.open(never)));
			const answers = await Promise.all(streams.map(ping));
			assert.deepEqual(new Set(answers), new Set(["pong"]));
			assert.equal(connections(), before);
			assert.ok(transport.wire.sent > sent);
			assert.ok(transport.wire.received > 20 * "pong".length);
		});

		test("has the next stream ready, and replaces it where the far side has closed it", async () => {
			const socketPath = join(directory, "counted.sock");
			const accepted: Socket[] = [];
			const counted = createServer((socket) => {
				accepted.push(socket.on("error", () => {}));
				socket.pipe(socket);
			}).listen(socketPath);
			await once(counted, "listening");
			await using transport = await open({
				environment: await clientOf(sshd),
				on: `ssh://box${socketPath}`,
			});
			const echo = async (stream: Duplex, text: string) => {
				stream.write(text);
				return String((await once(stream, "data"))[0]);
			};
			const first = await transport.open(never);
			assert.equal(await echo(first, "one"), "one");
			while (accepted.length < 2) {
				await once(counted, "connection");
			}
			accepted[1]?.destroy();
			// sshd has told of the end by the time that it has carried two more messages.
			assert.equal(await echo(first, "again"), "again");
			assert.equal(await echo(first, "and again"), "and again");
			assert.equal(await echo(await transport.open(never), "two"), "two");
			counted.close();
		});

		test("carries megabytes and a half-close unharmed", async () => {
			const on = `ssh://box${digesterSocket}`;
			await using transport = await open({ environment: await clientOf(sshd), on });
			const data = randomBytes(10 * 1024 * 1024);
			const stream = await transport.open(never);
			stream.end(data);
			const digest = createHash("sha256").update(data).digest("hex");
			assert.equal(await textOf(stream), `${data.length} ${digest}`);
			assert.ok(transport.wire.sent > data.length);
		});

		test("fills no buffer of a slow link with more than arrives in a second or two", async (t) => {
			const slow = await startSlowLink(sshd.port);
			t.after(slow.close);
			const environment = await clientOf({ ...sshd, port: slow.port }, [
				"StrictHostKeyChecking no",
			]);
			await using transport = await open({ environment, on: `ssh://box${digesterSocket}` });
			const stream = await transport.open(never);
			stream.end(randomBytes(700_000));
			assert.match(await textOf(stream), /^700000 /);
			assert.ok(slow.mostHeld < 2 * slow.bytesPerSecond, `${slow.mostHeld} bytes`);
		});

		test("downloads more than a receive window", async () => {
			const socketPath = join(directory, "source.sock");
			const data = randomBytes(20 * 1024 * 1024);
			const source = createServer((socket) => {
				socket.on("error", () => {}).end(data);
			}).listen(socketPath);
			await once(source, "listening");
			await using transport = await open({
				environment: await clientOf(sshd),
				on: `ssh://box${socketPath}`,
			});
			const chunks: Buffer[] = [];
			for await (const chunk of await transport.open(never)) {
				chunks.push(chunk);
			}
			source.close();
			assert.ok(Buffer.concat(chunks).equals(data));
		});

		test("closes the far end when a stream is destroyed", async () => {
			const socketPath = join(directory, "watch.sock");
			const closed = new Promise((resolve) => {
				const watch = createServer((socket) => {
					socket.on("error", () => {}).on("close", resolve);
					socket.resume();
					watch.close();
				}).listen(socketPath);
			});
			await using transport = await open({
				environment: await clientOf(sshd),
				on: `ssh://box${socketPath}`,
			});
			(await transport.open(never)).destroy();
			await closed;
		});
	});

	suite("through docker's dial-stdio, where sshd forwards nothing", () => {
		const noForwarding = "AllowStreamLocalForwarding no";

		async function withSshd(config: readonly string[], body: (sshd: Sshd) => Promise<void>) {
			await using other = await startSshd({ config: [noForwarding, ...config] });
			await body(other);
		}

		test("carries streams, past whatever the shell prints at its start", async (t) => {
			if (!(await hasDocker())) {
				t.skip("there is no docker command");
				return;
			}
			const noise = join(directory, "noise.sh");
			await writeFile(noise, "echo Welcome; echo HTTP/1.1 500 Motd; echo loud >&2\n");
			await withSshd([`SetEnv BASH_ENV=${noise}`], async (other) => {
				await using transport = await open({ environment: await clientOf(other) });
				assert.equal(transport.route, "ssh, dial-stdio");
				assert.equal(await ping(await transport.open(never)), "pong");
				assert.equal(await ping(await transport.open(never)), "pong");
			});
		});

		test("waits for its turn instead of meeting MaxSessions", async (t) => {
			if (!(await hasDocker())) {
				t.skip("there is no docker command");
				return;
			}
			await withSshd([], async (other) => {
				await using transport = await open({ environment: await clientOf(other) });
				const opening = Array.from({ length: 12 }, () => transport.open(never));
				const answers = await Promise.all(opening.map(async (stream) => ping(await stream)));
				assert.deepEqual(answers, Array(12).fill("pong"));
			});
		});

		test("works where dial-stdio is all that a key may run", async (t) => {
			if (!(await hasDocker())) {
				t.skip("there is no docker command");
				return;
			}
			const forced = `ForceCommand docker -H unix://${daemonSocket} system dial-stdio`;
			await withSshd([forced], async (other) => {
				await using transport = await open({ environment: await clientOf(other), on: "box" });
				assert.equal(transport.route, "ssh, dial-stdio");
				assert.equal(await ping(await transport.open(never)), "pong");
				assert.equal(await ping(await transport.open(never)), "pong");
			});
		});

		test("tells that the user may not use the socket, and names the docker group", async (t) => {
			if (userInfo().uid !== 0) {
				t.skip("only root can become somebody who may not");
				return;
			}
			await chmod(directory, 0o755);
			await chmod(daemonSocket, 0o600);
			const nobody =
				'ForceCommand setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "$SSH_ORIGINAL_COMMAND"';
			await withSshd([nobody], async (other) => {
				const error = await failureOf({ environment: await clientOf(other) });
				assert.equal(error.failure, "socket-permission");
				assert.match(error.hint ?? "", /usermod -aG docker/);
			});
		});

		test("tells that the user may run nothing there", async () => {
			await withSshd(["ForceCommand echo This account is not available >&2"], async (other) => {
				const error = await failureOf({ environment: await clientOf(other) });
				assert.equal(error.failure, "unreachable");
				assert.match(error.message, /This account is not available/);
			});
		});
	});

	suite("telling failures apart", () => {
		async function expectFailure(
			failure: ConnectionFailure,
			message: RegExp,
			options: OpenOptions,
		): Promise<ConnectionError> {
			const error = await failureOf(options);
			assert.equal(error.failure, failure, error.message);
			assert.match(error.message, message);
			return error;
		}

		test("a name that does not resolve", async () => {
			const environment = await clientOf(sshd, ["Host far", "  HostName no-such-host.invalid"]);
			const place = /^cannot reach far \(no-such-host.invalid:22\): the name does not resolve$/;
			await expectFailure("unresolved", place, { environment, on: "far" });
		});

		test("a port on which nobody listens", async () => {
			const environment = await clientOf(sshd);
			const on = "user@127.0.0.1:1";
			const message = /^cannot reach 127.0.0.1:1: connection refused$/;
			await expectFailure("refused", message, { environment, on });
		});

		test("a socket that is not there", async () => {
			const on = `ssh://box${join(directory, "none.sock")}`;
			const message = /there is no socket at .*none.sock|docker is not installed there/;
			const error = await failureOf({ environment: await clientOf(sshd), on });
			const failure = (await hasDocker()) ? "socket-missing" : "docker-not-installed";
			assert.equal(error.failure, failure);
			assert.match(error.message, message);
		});

		test("a socket that nobody answers on", async (t) => {
			if (!(await hasDocker())) {
				t.skip("there is no docker command");
				return;
			}
			const socketPath = join(directory, "stale.sock");
			const script = `require("net").createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, "SIGKILL"))`;
			await run(process.execPath, ["-e", script]).catch(() => {});
			const on = `ssh://box${socketPath}`;
			const environment = await clientOf(sshd);
			await expectFailure("refused", /nothing answers on .*stale.sock/, { environment, on });
		});

		for (const [name, greeting, message, hint = /\S/] of [
			[
				"garbage",
				"HTTP/1.1 400 Bad Request\r\nServer: \x1b[31mx\r\n\r\n",
				/it said "HTTP\/1.1 400 Bad Request/,
				/^is that the port of sshd\?$/,
			],
			["nothing before it hangs up", "", /: it closed the connection at once$/],
			["a line of megabytes", "x".repeat(10 << 20), /Header line too long; it said "xxx/],
			[
				"megabytes of lines",
				`${"x".repeat(1000)}\r\n`.repeat(10_000),
				/(its greeting does not end|Max greeting lines exceeded); it said "xxx/,
			],
			[
				"a broken key exchange",
				"SSH-2.0-broken\r\nthis is not a packet at all, is it?\r\n",
				/the ssh key exchange failed/,
			],
		] as const) {
			test(`a peer that does not speak ssh and says ${name}`, async () => {
				const peer = createServer((socket) => {
					socket.on("error", () => {}).end(greeting);
				}).listen(0, "127.0.0.1");
				await once(peer, "listening");
				const { port } = peer.address() as { port: number };
				const on = `user@127.0.0.1:${port}`;
				const error = await expectFailure("protocol", /^cannot reach 127.0.0.1:\d+: /, {
					// Longer than a test may take.
					environment: await clientOf(sshd, ["ConnectTimeout 600"]),
					on,
				});
				peer.close();
				assert.ok(!error.message.includes("\x1b"), "a stranger's control characters are not shown");
				assert.match(error.message, message);
				assert.match(error.hint ?? "", hint);
			});
		}

		for (const [said, hint] of [
			["Exceeded MaxStartups", /^too many are logging in there .*: try again$/],
			["Not allowed at this time", /MaxStartups.*PerSourcePenalties.*try again in a minute$/],
		] as const) {
			test(`an sshd that lets nobody in, and says ${said}`, async () => {
				const peer = createServer((socket) => {
					socket.on("error", () => {}).end(`${said}\r\n`);
				}).listen(0, "127.0.0.1");
				await once(peer, "listening");
				const { port } = peer.address() as { port: number };
				const message = new RegExp(`: it lets nobody log in at the moment; it said "${said}"$`);
				const environment = await clientOf(sshd);
				const on = `user@127.0.0.1:${port}`;
				const error = await expectFailure("busy", message, { environment, on });
				peer.close();
				assert.match(error.hint ?? "", hint);
			});
		}

		test("a peer that says nothing at all", async () => {
			const silent = createServer((socket) => {
				socket.on("error", () => {}).resume();
			}).listen(0, "127.0.0.1");
			await once(silent, "listening");
			const { port } = silent.address() as { port: number };
			const on = `user@127.0.0.1:${port}`;
			const environment = await clientOf(sshd, ["ConnectTimeout 1"]);
			await expectFailure("protocol", /nothing came within 1 s/, { environment, on });

			const interruption = new AbortController();
			const opening = open({ environment: await clientOf(sshd), on, signal: interruption.signal });
			silent.once("connection", () => interruption.abort());
			await assert.rejects(opening, InterruptedError);
			silent.close();
		});

		test("a link that is lost, to every stream that is open", async () => {
			await using other = await startSshd();
			const on = `ssh://box${digesterSocket}`;
			await using transport = await open({ environment: await clientOf(other), on });
			const streams = [await transport.open(never), await transport.open(never)];
			const reading = streams.map((stream) => textOf(stream));
			await other.dropConnections();
			for (const text of reading) {
				await assert.rejects(
					text,
					(error) => error instanceof ConnectionError && error.failure === "lost",
				);
			}
			await assert.rejects(
				transport.open(never),
				(error) => error instanceof ConnectionError && error.failure === "lost",
			);
		});

		test("an interruption before anything was tried", async () => {
			const environment = await clientOf(sshd);
			await assert.rejects(open({ environment, signal: AbortSignal.abort() }), InterruptedError);
		});
	});

	suite("checking the host key", () => {
		const knownHosts = async (text: string) => {
			const file = join(directory, `known-${randomBytes(4).toString("hex")}`);
			await writeFile(file, text);
			return file;
		};
		const publicKey = async (type: number) =>
			(await readFile(`${sshd.hostKeyFiles[type]}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
		const hostName = () => `[${sshd.host}]:${sshd.port}`;

		async function connects(lines: readonly string[]): Promise<BuildEvent[]> {
			const events: BuildEvent[] = [];
			const environment = await clientOf(sshd, lines);
			const emit = (event: BuildEvent) => event.type === "reach" || events.push(event);
			await using transport = await open({ environment, emit });
			assert.equal(await ping(await transport.open(never)), "pong");
			return events;
		}

		test("takes any of several key types, whichever is the known one", async () => {
			for (const type of [0, 1, 2]) {
				const file = await knownHosts(`${hostName()} ${await publicKey(type)}\n`);
				assert.deepEqual(await connects([`UserKnownHostsFile ${file}`]), []);
			}
		});

		test("finds it hashed, under its HostKeyAlias, without the port, and in the global file", async () => {
			const hashed = await knownHosts(`${hostName()} ${await publicKey(0)}\n`);
			await run("ssh-keygen", ["-H", "-f", hashed]);
			assert.doesNotMatch(await readFile(hashed, "utf8"), /127/);
			await connects([`UserKnownHostsFile ${hashed}`]);

			const aliased = await knownHosts(`lab ${await publicKey(0)}\n`);
			await connects([`UserKnownHostsFile ${aliased}`, "HostKeyAlias lab"]);

			const portless = await knownHosts(`${sshd.host} ${await publicKey(0)}\n`);
			await connects([`UserKnownHostsFile ${portless}`]);
			await connects(["UserKnownHostsFile /dev/null", `GlobalKnownHostsFile ${portless}`]);
		});

		test("refuses an unknown one, with its fingerprint and the way to accept it", async () => {
			for (const strictness of ["ask", "yes"]) {
				const error = await failureOf({
					environment: await clientOf(sshd, [
						"UserKnownHostsFile /dev/null",
						`StrictHostKeyChecking ${strictness}`,
					]),
				});
				const { stdout } = await run("ssh-keygen", ["-lf", `${sshd.hostKeyFiles[0]}.pub`]);
				assert.equal(error.failure, "host-key-unknown");
				assert.ok(error.message.includes(stdout.split(" ")[1] ?? "?"), error.message);
				assert.match(error.message, /ssh-ed25519 SHA256:/);
				assert.match(
					error.hint ?? "",
					/run: rbuild hosts trust box --ssh-config \S+ --fingerprint SHA256:\S{43}$/,
				);
			}
		});

		test("refuses a changed one whatever the configuration, and names the old key's line", async () => {
			const other = join(directory, "other_key");
			await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", other]);
			const [type, key] = (await readFile(`${other}.pub`, "utf8")).split(" ");
			const file = await knownHosts(`# first\n${hostName()} ${type} ${key}\n`);
			for (const strictness of ["yes", "ask", "accept-new", "no"]) {
				const error = await failureOf({
					environment: await clientOf(sshd, [
						`UserKnownHostsFile ${file}`,
						`StrictHostKeyChecking ${strictness}`,
					]),
				});
				assert.equal(error.failure, "host-key-changed", strictness);
				assert.ok(error.message.includes(`${file}:2 knows`), error.message);
				assert.match(error.hint ?? "", /ssh-keygen -R/);
			}
			assert.equal((await readFile(file, "utf8")).split("\n").length, 3, "the file is as it was");
		});

		test("refuses a revoked one even where it is known", async () => {
			const key = await publicKey(0);
			const file = await knownHosts(`@revoked * ${key}\n${hostName()} ${key}\n`);
			const environment = await clientOf(sshd, [`UserKnownHostsFile ${file}`]);
			const error = await failureOf({ environment });
			assert.equal(error.failure, "host-key-changed");
			assert.match(error.message, /is revoked in .*:1$/);
		});

		test("does not take a certificate authority's key for the host's", async () => {
			const file = await knownHosts(`@cert-authority * ${await publicKey(0)}\n`);
			const environment = await clientOf(sshd, [`UserKnownHostsFile ${file}`]);
			assert.equal((await failureOf({ environment })).failure, "host-key-unknown");
		});

		test("accept-new says so, and writes the line that ssh then finds", async () => {
			const file = join(directory, "new", "known_hosts");
			const lines = [`UserKnownHostsFile ${file}`, "StrictHostKeyChecking accept-new"];
			const [warning] = await connects(lines);
			assert.equal(warning?.type, "warning");
			assert.match(warning.message, /accepted the unknown host key ssh-ed25519 SHA256:.*added to/);
			const { stdout } = await run("ssh-keygen", ["-F", hostName(), "-f", file]);
			assert.match(stdout, /ssh-ed25519/);
			assert.deepEqual(await connects(lines), [], "the second time it is known");
		});

		test("no says so, every time", async () => {
			const lines = ["UserKnownHostsFile /dev/null", "StrictHostKeyChecking no"];
			assert.equal((await connects(lines)).length, 1);
		});
	});

	suite("logging in", () => {
		const keys = join(tmpdir(), `rbuild-keys-${process.pid}`);
		before(async () => {
			await mkdir(keys);
			await Promise.all([
				run("ssh-keygen", ["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", join(keys, "rsa")]),
				run("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", join(keys, "ecdsa")]),
				run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(keys, "stranger")]),
				run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", join(keys, "locked")]),
			]);
		});
		after(() => rm(keys, { recursive: true }));

		async function authorize(...names: string[]): Promise<Sshd> {
			const file = join(keys, `authorized-${names.join("-")}`);
			const lines = names.map((name) => readFile(join(keys, `${name}.pub`), "utf8"));
			await writeFile(file, (await Promise.all(lines)).join(""));
			return await startSshd({ config: [`AuthorizedKeysFile ${file}`] });
		}

		/** The alias without its own key. */
		async function clientWith(sshd: Sshd, lines: readonly string[]): Promise<Environment> {
			const environment = await clientOf(sshd, lines);
			const file = environment.sshConfigFile ?? "";
			const text = await readFile(file, "utf8");
			await writeFile(file, text.replace(/^ {2}IdentityFile .*\n/m, ""));
			return environment;
		}

		test("takes RSA and ECDSA keys, after others were refused", async () => {
			for (const name of ["rsa", "ecdsa"]) {
				await using other = await authorize(name);
				const lines = [
					`IdentityFile ${join(keys, "stranger")}`,
					`IdentityFile ${join(keys, name)}`,
				];
				await using transport = await open({ environment: await clientWith(other, lines) });
				assert.equal(await ping(await transport.open(never)), "pong");
				assert.match(other.log(), name === "rsa" ? /RSA/ : /ECDSA/);
			}
		});

		test("names what it tried, what it skipped, and what the server offers", async () => {
			const names = ["stranger", "locked", "rsa.pub"];
			const lines = names.map((name) => `IdentityFile ${join(keys, name)}`);
			const error = await failureOf({ environment: await clientWith(sshd, lines) });
			const { stdout } = await run("ssh-keygen", ["-lf", join(keys, "stranger.pub")]);
			assert.equal(error.failure, "not-authenticated");
			assert.ok(error.message.includes(`no key was accepted for user ${sshd.user}`));
			assert.ok(
				error.message.includes(
					`tried ${join(keys, "stranger")} (ssh-ed25519 ${stdout.split(" ")[1]})`,
				),
			);
			assert.ok(error.message.includes(`, ${join(keys, "locked")} (ssh-ed25519 SHA256:`));
			assert.ok(error.message.includes(`skipped ${join(keys, "rsa.pub")} (is a public key`));
			assert.match(error.message, /the server offers publickey$/);
		});

		test("says that there was no key to try", async () => {
			const environment = await clientWith(sshd, [`IdentityFile ${join(keys, "absent")}`]);
			const error = await failureOf({ environment });
			assert.equal(error.failure, "not-authenticated");
			assert.match(error.message, /no key to try; the server offers publickey$/);
		});

		test("passes on the server's words when it hangs up after too many keys", async () => {
			await using strict = await startSshd({ config: ["MaxAuthTries 1"] });
			const lines = ["stranger", "rsa"].map((name) => `IdentityFile ${join(keys, name)}`);
			const error = await failureOf({ environment: await clientWith(strict, lines) });
			assert.equal(error.failure, "not-authenticated");
			assert.match(error.message, /Too many authentication failures.*tried .*stranger/);
		});

		suite("with an agent", () => {
			const socket = join(keys, "agent.sock");
			let end: () => Promise<void>;
			before(async () => {
				const agent = spawn("ssh-agent", ["-D", "-a", socket], {
					stdio: ["ignore", "pipe", "ignore"],
				});
				await once(agent.stdout, "data");
				const env = { ...process.env, SSH_AUTH_SOCK: socket };
				for (const name of ["stranger", "ecdsa", "rsa"]) {
					await run("ssh-add", ["-q", join(keys, name)], { env });
				}
				const askpass = join(keys, "askpass");
				await writeFile(askpass, "#!/bin/sh\necho secret\n", { mode: 0o700 });
				const unlocking = { ...env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
				await run("ssh-add", ["-q", join(keys, "locked")], { env: unlocking });
				end = async () => {
					agent.kill();
					await once(agent, "exit");
				};
			});
			after(() => end());

			test("signs with the key that the server takes, an encrypted one too", async () => {
				for (const name of ["rsa", "ecdsa", "locked"]) {
					await using other = await authorize(name);
					const lines = [`IdentityAgent ${socket}`, "IdentitiesOnly no"];
					const environment = await clientWith(other, lines);
					await using transport = await open({ environment });
					assert.equal(await ping(await transport.open(never)), "pong");
				}
			});

			test("offers the configured key first, and only that with IdentitiesOnly", async () => {
				await using other = await authorize("locked");
				const lines = [
					`IdentityAgent ${socket}`,
					"IdentitiesOnly yes",
					`IdentityFile ${join(keys, "locked")}`,
				];
				await using transport = await open({ environment: await clientWith(other, lines) });
				assert.equal(await ping(await transport.open(never)), "pong");
				assert.doesNotMatch(other.log(), /Failed publickey/);

				const wrong = [...lines.slice(0, 2), `IdentityFile ${join(keys, "ecdsa")}`];
				const error = await failureOf({ environment: await clientWith(other, wrong) });
				assert.equal(error.message.match(/agent key/g)?.length, 1, error.message);
			});

			test("names the agent's keys when none is accepted", async () => {
				const lines = [`IdentityAgent ${socket}`, "IdentitiesOnly no"];
				const error = await failureOf({ environment: await clientWith(sshd, lines) });
				assert.equal(error.failure, "not-authenticated");
				assert.match(error.message, /agent key .* \(ssh-rsa SHA256:/);
				assert.match(error.message, /the server offers publickey$/);
			});

			test("goes on without an agent that does not answer, and says so in the end", async () => {
				const lines = [`IdentityAgent ${join(keys, "no-agent.sock")}`];
				const error = await failureOf({ environment: await clientWith(sshd, lines) });
				assert.match(error.message, /skipped the agent at .*no-agent.sock \(it does not answer\)/);
			});
		});
	});
});

async function hasDocker(): Promise<boolean> {
	return await run("docker", ["--version"]).then(
		() => true,
		() => false,
	);
}
