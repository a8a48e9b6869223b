import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ConnectionError, InterruptedError, UsageError } from "../../src/errors.js";
import { suiteWithSshd } from "../support/requirement.js";
import {
	clientWith,
	connectionFailure,
	hostSection,
	never,
	openTo,
	ping,
	startPingServer,
} from "../support/ssh-client.js";
import { type Sshd, startSshd } from "../support/sshd.js";

suiteWithSshd("on the way to the box", () => {
	let directory: string;
	let daemon: Server;
	let on: string;
	let box: Sshd;
	let gate: Sshd;
	let outer: Sshd;

	before(async () => {
		directory = await mkdtemp(join(tmpdir(), "rbuild-proxy-"));
		const socketPath = join(directory, "daemon.sock");
		daemon = startPingServer(socketPath);
		on = `ssh://box${socketPath}`;
		[box, gate, outer] = await Promise.all([startSshd(), startSshd(), startSshd()]);
	});
	after(async () => {
		daemon.close();
		await Promise.all([box.stop(), gate.stop(), outer.stop()]);
		await rm(directory, { recursive: true });
	});

	const sections = (boxLines: readonly string[], gateLines: readonly string[] = []) =>
		hostSection("box", box, boxLines) +
		hostSection("gate", gate, gateLines) +
		hostSection("outer", outer);
	const connections = ({ log }: Sshd) => log().match(/Accepted publickey/g)?.length ?? 0;

	suite("a jump host", () => {
		test("is logged in to with its own settings, and is told of", async () => {
			const environment = await clientWith(directory, sections(["ProxyJump gate"]));
			const [boxBefore, gateBefore] = [connections(box), connections(gate)];
			await using transport = await openTo(on, environment);
			assert.equal(transport.route, "ssh through gate, streamlocal");
			const streams = await Promise.all([transport.open(never), transport.open(never)]);
			assert.deepEqual(await Promise.all(streams.map(ping)), ["pong", "pong"]);
			assert.equal(connections(box), boxBefore + 1);
			assert.equal(connections(gate), gateBefore + 1);
		});

		test("may have others in front of it, named by either of them", async () => {
			for (const config of [
				sections(["ProxyJump outer,gate"]),
				sections(["ProxyJump gate"], ["ProxyJump outer"]),
				sections([`ProxyJump ssh://outer,${gate.user}@gate:${gate.port}`]),
			]) {
				const outerBefore = connections(outer);
				await using transport = await openTo(on, await clientWith(directory, config));
				assert.equal(transport.route, "ssh through outer, gate, streamlocal");
				assert.equal(await ping(await transport.open(never)), "pong");
				assert.equal(connections(outer), outerBefore + 1);
			}
		});

		test("is found where there is no ssh program, too", async () => {
			const environment = await clientWith(directory, sections(["ProxyJump outer,gate"]), {
				variables: { PATH: join(directory, "nothing") },
			});
			await using transport = await openTo(on, environment);
			assert.equal(await ping(await transport.open(never)), "pong");
		});

		test("carries megabytes unharmed, and the bytes of its network connection are counted", async () => {
			const socketPath = join(directory, "digester.sock");
			const digester = createServer({ allowHalfOpen: true }, (socket) => {
				const hash = createHash("sha256");
				socket.on("error", () => {});
				socket.on("data", (chunk) => hash.update(chunk));
				socket.on("end", () => socket.end(hash.digest("hex")));
			}).listen(socketPath);
			await once(digester, "listening");
			const environment = await clientWith(directory, sections(["ProxyJump gate"]));
			await using transport = await openTo(`ssh://box${socketPath}`, environment);
			const data = randomBytes(5_000_000);
			const stream = await transport.open(never);
			stream.end(data);
			let answer = "";
			for await (const chunk of stream) answer += chunk;
			digester.close();
			assert.equal(answer, createHash("sha256").update(data).digest("hex"));
			// Encrypted twice, it is more than once.
			assert.ok(transport.wire.sent > data.length + 1000, String(transport.wire.sent));
			assert.ok(transport.wire.sent < data.length * 1.05, String(transport.wire.sent));
		});

		test("must show its own host key", async () => {
			const config = sections(["ProxyJump gate"], [`UserKnownHostsFile ${box.knownHostsFile}`]);
			const boxBefore = connections(box);
			const error = await connectionFailure(on, await clientWith(directory, config));
			assert.equal(error.failure, "host-key-unknown");
			assert.ok(error.message.startsWith(`cannot reach gate (127.0.0.1:${gate.port}): host key`));
			assert.equal(connections(box), boxBefore);
		});

		test("does not vouch for the box's host key", async () => {
			const config = sections([`UserKnownHostsFile ${gate.knownHostsFile}`, "ProxyJump gate"]);
			const error = await connectionFailure(on, await clientWith(directory, config));
			assert.equal(error.failure, "host-key-unknown");
			assert.ok(
				error.message.startsWith(`cannot reach box (127.0.0.1:${box.port} through gate): host key`),
				error.message,
			);
		});

		test("that lets nobody in is named", async () => {
			await using strict = await startSshd({ config: ["AuthorizedKeysFile none"] });
			const config = hostSection("box", box, ["ProxyJump gate"]) + hostSection("gate", strict);
			const error = await connectionFailure(on, await clientWith(directory, config));
			assert.equal(error.failure, "not-authenticated");
			assert.match(error.message, /^cannot reach gate \(/);
		});

		test("that cannot get to the box says why", async () => {
			const closed = sections(["Port 1", "ProxyJump gate"]);
			const refused = await connectionFailure(on, await clientWith(directory, closed));
			assert.equal(refused.failure, "refused");
			assert.equal(
				refused.message,
				`cannot reach box (127.0.0.1:1 through gate): gate (127.0.0.1:${gate.port}) cannot get there: Connection refused`,
			);
			const nameless = sections(["HostName no-such-host.invalid", "ProxyJump gate"]);
			const unresolved = await connectionFailure(on, await clientWith(directory, nameless));
			assert.equal(unresolved.failure, "unresolved", unresolved.message);
		});

		test("that forwards nothing is told of, with the way out", async () => {
			await using strict = await startSshd({ config: ["AllowTcpForwarding no"] });
			const config = hostSection("box", box, ["ProxyJump gate"]) + hostSection("gate", strict);
			const error = await connectionFailure(on, await clientWith(directory, config));
			assert.equal(error.failure, "unreachable", error.message);
			assert.match(error.message, /prohibited|open failed/);
			assert.match(error.hint ?? "", /AllowTcpForwarding/);
		});

		test("that is lost takes the connection with it", async () => {
			await using passing = await startSshd();
			const config = hostSection("box", box, ["ProxyJump gate"]) + hostSection("gate", passing);
			await using transport = await openTo(on, await clientWith(directory, config));
			const stream = await transport.open(never);
			const reading = ping(stream.on("error", () => {}));
			stream.cork();
			await passing.dropConnections();
			await reading.catch(() => {});
			await assert.rejects(
				async () => await ping(await transport.open(never)),
				(error) => error instanceof ConnectionError && error.failure === "lost",
			);
		});

		test("that leads around in a circle is refused before anybody is called", async () => {
			const config = `Host *\nProxyJump gate\n${sections([])}`;
			await assert.rejects(
				openTo(on, await clientWith(directory, config)),
				(error) =>
					error instanceof UsageError && /ProxyJump loop: box -> gate -> gate/.test(error.message),
			);
		});
	});

	suite("a ProxyCommand", () => {
		/** A command that connects its standard input and output to a port, and says who it is. */
		async function netcat(): Promise<string> {
			const script = join(directory, "netcat.mjs");
			const log = join(directory, "netcat.pid");
			await writeFile(
				script,
				`import { writeFileSync } from "node:fs";
import { connect } from "node:net";
const [host, port] = process.argv.slice(2);
writeFileSync(${JSON.stringify(log)}, String(process.pid));
const socket = connect(Number(port), host);
process.stdin.pipe(socket).pipe(process.stdout);
`,
			);
			return `${process.execPath} ${script}`;
		}

		const isRunning = (pid: number) => existsSync(`/proc/${pid}`);

		test("gets its tokens and carries the connection, and ends with it", async () => {
			const config = sections([`ProxyCommand ${await netcat()} %h %p`]);
			const transport = await openTo(on, await clientWith(directory, config));
			assert.equal(transport.route, "ssh through a ProxyCommand, streamlocal");
			assert.equal(await ping(await transport.open(never)), "pong");
			assert.ok(transport.wire.sent > 1000 && transport.wire.received > 1000);
			const pid = Number(await readFile(join(directory, "netcat.pid"), "utf8"));
			assert.ok(isRunning(pid));
			await transport[Symbol.asyncDispose]();
			while (isRunning(pid)) await setTimeout(10);
		});

		test("may be behind a jump host's name", async () => {
			const config = sections(["ProxyJump gate"], [`ProxyCommand ${await netcat()} %h %p`]);
			await using transport = await openTo(on, await clientWith(directory, config));
			assert.equal(transport.route, "ssh through a ProxyCommand, gate, streamlocal");
			assert.equal(await ping(await transport.open(never)), "pong");
		});

		test("is run by the user's shell", async () => {
			const shell = join(directory, "shell");
			await writeFile(shell, `#!/bin/sh\necho "run by $0 with $1" >&2\nexit 3\n`, { mode: 0o755 });
			const error = await connectionFailure(
				on,
				await clientWith(directory, sections(["ProxyCommand true"]), {
					variables: { PATH: process.env.PATH, SHELL: shell },
				}),
			);
			assert.ok(error.message.endsWith(`run by ${shell} with -c`), error.message);
		});

		test("that fails is quoted", async () => {
			for (const [command, complaint] of [
				["sh -c 'echo first >&2; echo no\\ way >&2; exit 1'", "first; no way"],
				["sh -c 'exit 7'", "exit code 7"],
				["rbuild-no-such-command", "not found"],
			] as const) {
				const error = await connectionFailure(
					on,
					await clientWith(directory, sections([`ProxyCommand ${command}`])),
				);
				assert.equal(error.failure, "protocol", error.message);
				assert.match(error.message, /^cannot reach box \(.* through a ProxyCommand\): /);
				assert.ok(error.message.includes("the ProxyCommand said: "), error.message);
				assert.ok(error.message.includes(complaint), error.message);
			}
		});

		test("that says nothing is given up after the connect timeout, and by an interruption", async () => {
			const config = sections(["ProxyCommand sleep 1234567", "ConnectTimeout 1"]);
			const error = await connectionFailure(on, await clientWith(directory, config));
			assert.match(error.message, /nothing came within 1 s/);
			const patient = sections(["ProxyCommand sleep 1234567"]);
			await assert.rejects(
				openTo(on, await clientWith(directory, patient), { signal: AbortSignal.timeout(500) }),
				InterruptedError,
			);
			const left = () => {
				try {
					return execFileSync("pgrep", ["-f", "^sleep 1234567$"], { encoding: "utf8" });
				} catch {
					return "";
				}
			};
			while (left() !== "") await setTimeout(20);
		});
	});

	test("an address of this machine is connected from, where one is named", async () => {
		const config = sections(["BindAddress 127.0.0.77", "AddressFamily inet"]);
		await using transport = await openTo(on, await clientWith(directory, config));
		assert.equal(await ping(await transport.open(never)), "pong");
		assert.match(box.log(), /Connection from 127\.0\.0\.77 /);
		const elsewhere = sections(["BindAddress 203.0.113.5"]);
		const error = await connectionFailure(on, await clientWith(directory, elsewhere));
		assert.match(error.message, /does not have the address to connect from$/);
	});

	test("only what the configuration allows is negotiated", async () => {
		const config = sections([
			...["Ciphers aes256-ctr", "MACs hmac-sha2-512", "KexAlgorithms ecdh-sha2-nistp384"],
		]);
		await using verbose = await startSshd({ config: ["LogLevel DEBUG2"] });
		const other = hostSection("box", verbose, config.split("\n").slice(1, 4));
		await using transport = await openTo(on, await clientWith(directory, other));
		assert.equal(await ping(await transport.open(never)), "pong");
		assert.match(verbose.log(), /kex: algorithm: ecdh-sha2-nistp384/);
		assert.match(verbose.log(), /cipher: aes256-ctr MAC: hmac-sha2-512/);

		const unknown = sections(["MACs umac-64@openssh.com"]);
		const client = { ...(await clientWith(directory, unknown)), sshClient: "builtin" as const };
		const error = await connectionFailure(on, client);
		assert.match(error.message, /"MACs umac-64@openssh.com" needs the ssh program$/);
	});
});
