import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import type { ServerResponse } from "node:http";
import {
	type ClientHttp2Stream,
	type IncomingHttpHeaders,
	performServerHandshake,
	type ServerHttp2Stream,
} from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { after, before, suite, type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { encodeStatusMessage } from "../../../src/buildkit/grpc/grpc-status.js";
import { Settlement } from "../../../src/context/thread/settlement.js";
import { EXIT_CODES } from "../../../src/errors.js";
import { rbuildHere } from "../../support/called-program.js";
import { finished, startRbuild } from "../../support/cli.js";
import { startFakeDaemon } from "../../support/fake-daemon.js";
import { answerOf, frame, GrpcPeer } from "../../support/grpc-peer.js";
import { noSymlinks } from "../../support/this-system.js";
import { packet, TYPE } from "../buildkit/file-sync/receiver.js";

/** Of memory, for a context that a daemon does not take. */
const MOST_KIB = 200_000;
const DIFF_COPY = "/moby.filesync.v1.FileSync/DiffCopy";

let root: string;
before(() => {
	root = mkdtempSync(join(tmpdir(), "rbuild-hostile-"));
	writeFileSync(join(root, "Dockerfile"), "FROM scratch\nCOPY . /\n");
	writeFileSync(join(root, "file"), "content");
});
after(() => rmSync(root, { recursive: true }));

/** What a daemon does with a build: the session's connection, and how it ends the build. */
type Deed = (session: Duplex, failBuild: (reason: string) => void) => void | Promise<void>;

/** The arguments of a sync to a daemon that does this. */
async function against(test: TestContext, deed: Deed): Promise<string[]> {
	const opened = new Settlement<Duplex>();
	const daemon = await startFakeDaemon({
		routes: {
			"POST /session": (_request, response) => {
				upgrade(response, (connection) => opened.resolve(connection));
			},
			"POST /grpc": (_request, response) => {
				upgrade(response, (connection) => {
					const server = performServerHandshake(connection);
					server.on("error", () => {});
					server.on("stream", async (call: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
						call.on("error", () => {});
						if (!headers[":path"]?.endsWith("/Solve")) return endCall(call, "5", "no such job");
						await deed(await opened.promise, (reason) => endCall(call, "2", reason));
					});
				});
			},
		},
	});
	test.after(() => daemon.stop());
	return [root, "--on", daemon.url, "--transfer", "sync"];
}

function upgrade({ socket }: ServerResponse, done: (connection: Duplex) => void): void {
	assert.ok(socket);
	socket.on("error", () => {});
	// Who has left has left: nothing of it stays in this process, which is also that of the command.
	socket.once("end", () => socket.destroy());
	const head = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
	socket.write(head, () => done(socket));
}

function endCall(call: ServerHttp2Stream, status: string, message: string): void {
	if (call.destroyed) return;
	const trailers = { "grpc-status": status, "grpc-message": encodeStatusMessage(message) };
	call.respond({ "content-type": "application/grpc", ...trailers }, { endStream: true });
}

/** Asks for the context, and says the rest as the daemon likes it. */
function ask(session: Duplex, headers: Record<string, string> = {}): ClientHttp2Stream {
	const stream = new GrpcPeer(session).open(DIFF_COPY, { "dir-name": "context", ...headers });
	// A gRPC client has nothing more to say after the status.
	stream.on("trailers", () => stream.end());
	stream.on("response", (answer) => answer["grpc-status"] && stream.end());
	return stream;
}

/** By then, the stats have come. */
async function announced(stream: ClientHttp2Stream): Promise<void> {
	await new Promise((resolve) => stream.once("data", resolve));
	stream.pause();
}

suite("a daemon that breaks the rules of a sync", () => {
	const breaches: [string, Buffer, RegExp][] = [
		[
			"asks for a file that it was not offered",
			packet({ type: TYPE.request, id: 99 }),
			/^error: the daemon asked for file 99, which was not offered to it$/m,
		],
		[
			"sends what is no packet",
			frame(randomBytes(100)),
			/^error: the daemon sent something that is no packet of a file transfer$/m,
		],
		[
			"sends a packet that only rbuild sends",
			packet({ type: TYPE.data, id: 0 }),
			/^error: the daemon sent a packet of type 2 in a file transfer$/m,
		],
	];
	for (const [what, bytes, error] of breaches) {
		test(`is named when it ${what}, even if it never ends the build`, async (t) => {
			const args = await against(t, async (session) => {
				const stream = ask(session);
				await announced(stream);
				stream.write(bytes);
			});
			const { code, stderr } = await rbuildHere(args);
			assert.match(stderr, error);
			assert.equal(stderr.match(/^(error|warning)/gm)?.length, 1, stderr);
			assert.equal(code, EXIT_CODES.engine);
		});
	}

	const refusals: [string, (session: Duplex) => Promise<string>, RegExp][] = [
		[
			"a message that is too long",
			async (session) => {
				const stream = ask(session);
				stream.write(Buffer.of(0, 2, 0, 0, 0));
				return (await answerOf(stream)).message;
			},
			/a message of 33554432 bytes is over the limit/,
		],
		[
			"a directory that is not offered",
			async (session) => (await answerOf(ask(session, { "dir-name": "/etc" }))).message,
			/the daemon asked for the directory "\/etc", but this build has only "context" and "dockerfile"/,
		],
		[
			"a method that there is not",
			async (session) => {
				const peer = new GrpcPeer(session);
				return (await peer.call("/moby.filesync.v1.FileSync/TarStream", frame(""))).message;
			},
			/rbuild does not serve \/moby\.filesync\.v1\.FileSync\/TarStream/,
		],
	];
	for (const [what, request, reason] of refusals) {
		test(`is refused ${what}, and its build fails with that reason`, async (t) => {
			const args = await against(t, async (session, failBuild) =>
				failBuild(await request(session)),
			);
			const { code, stderr } = await rbuildHere(args);
			const errors = stderr.split("\n").filter((line) => line.startsWith("error"));
			assert.equal(errors.length, 1, stderr);
			assert.match(errors[0] ?? "", reason);
			assert.equal(code, EXIT_CODES.buildFailed);
		});
	}

	const partings: [string, Deed, number][] = [
		[
			"speaks something else than HTTP/2",
			(session, failBuild) => {
				session.end("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", () => failBuild("no active session"));
			},
			EXIT_CODES.buildFailed,
		],
		[
			"ends the session in the middle of a transfer",
			async (session, failBuild) => {
				await announced(ask(session));
				session.destroy();
				failBuild("no active session");
			},
			EXIT_CODES.buildFailed,
		],
		[
			"resets the transfer",
			async (session, failBuild) => {
				const stream = ask(session);
				await announced(stream);
				stream.close(2);
				failBuild("no active session");
			},
			EXIT_CODES.buildFailed,
		],
	];
	for (const [what, deed, exitCode] of partings) {
		test(`gets one line when it ${what}`, async (t) => {
			const { code, stderr } = await rbuildHere(await against(t, deed));
			assert.match(stderr, /^error: the build failed: no active session$/m);
			assert.equal(stderr.match(/^(error|warning)/gm)?.length, 1, stderr);
			assert.equal(code, exitCode);
		});
	}

	test("is told how many calls it may make at once", async (t) => {
		const atOnce = new Settlement<number | undefined>();
		const args = await against(t, async (session, failBuild) => {
			const peer = new GrpcPeer(session);
			peer.session.once("remoteSettings", (settings) => {
				atOnce.resolve(settings.maxConcurrentStreams);
				failBuild("enough");
			});
		});
		assert.equal((await rbuildHere(args)).code, EXIT_CODES.buildFailed);
		assert.equal(await atOnce.promise, 128);
	});

	test("gets nothing from outside of the context, by whatever path", {
		skip: noSymlinks,
	}, async (t) => {
		const link = join(root, "way-out");
		symlinkSync("/", link);
		t.after(() => rmSync(link));
		let answers = "";
		const args = await against(t, async (session, failBuild) => {
			const peer = new GrpcPeer(session);
			for (const name of ["followpaths", "include-patterns"]) {
				for (const path of [
					"/etc/passwd",
					"../../../../etc/passwd",
					"way-out/etc/passwd",
					"way-out/etc",
				]) {
					const stream = peer.open(DIFF_COPY, { "dir-name": "context", [name]: path });
					stream.write(packet({ type: TYPE.fin }));
					stream.end();
					answers += String(Buffer.concat([...(await answerOf(stream)).responses]));
				}
			}
			failBuild("enough");
		});
		assert.equal((await rbuildHere(args)).code, EXIT_CODES.buildFailed);
		assert.match(answers, /way-out/);
		assert.doesNotMatch(answers, /passwd|etc|root/);
	});

	test("gets no secret but the one that was given, no agent, and no login but by a registry's exact name", async (t) => {
		const docker = mkdtempSync(join(tmpdir(), "rbuild-hostile-docker-"));
		t.after(() => rmSync(docker, { recursive: true }));
		const auth = Buffer.from("me:word").toString("base64");
		const auths = { "registry.example": { auth } };
		writeFileSync(join(docker, "config.json"), JSON.stringify({ auths }));
		const asked = (text: string) =>
			frame(Buffer.from(`\n${String.fromCharCode(text.length)}${text}`));
		const answers: string[] = [];
		const args = await against(t, async (session, failBuild) => {
			const peer = new GrpcPeer(session);
			for (const [method, names] of [
				[
					"moby.buildkit.secrets.v1.Secrets/GetSecret",
					["given", "file", "../file", "/etc/passwd", ""],
				],
				[
					"moby.filesync.v1.Auth/Credentials",
					["registry.example", "example", "registry.example.evil", ""],
				],
				["moby.sshforward.v1.SSH/CheckAgent", ["default"]],
				["moby.upload.v1.Upload/Pull", ["/etc/passwd"]],
			] as const) {
				for (const name of names) {
					const { responses } = await peer.call(`/${method}`, asked(name));
					answers.push(`${name}: ${Buffer.concat([...responses]).toString("latin1")}`);
				}
			}
			failBuild("enough");
		});
		const secret = ["--secret", `id=given,src=${join(root, "file")}`];
		const { code, stderr } = await rbuildHere([...args, ...secret], {
			env: { DOCKER_CONFIG: docker },
		});
		assert.equal(code, EXIT_CODES.buildFailed, stderr);
		assert.deepEqual(
			answers
				.filter((answer) => /content|word|root:/.test(answer))
				.map((each) => each.split(":")[0]),
			["given", "registry.example"],
		);
		assert.equal(answers.length, 11);
	});

	test("that never reads costs little memory, and Ctrl-C ends it", {
		skip: process.platform !== "linux",
	}, async (t) => {
		const endless = join(root, "endless");
		writeFileSync(endless, "");
		truncateSync(endless, 2 ** 40);
		t.after(() => rmSync(endless));
		const asked = new Settlement<void>();
		const args = await against(t, async (session) => {
			const stream = ask(session);
			await announced(stream);
			// "Dockerfile", "endless", "file"
			stream.write(packet({ type: TYPE.request, id: 1 }));
			session.pause();
			asked.resolve();
		});
		const child = startRbuild(args);
		const result = finished(child);
		await asked.promise;
		const proc = (name: string) => readFileSync(`/proc/${child.pid}/${name}`, "utf8");
		const bytesRead = () => Number(/rchar: (\d+)/.exec(proc("io"))?.[1]);
		const peakKiB = () => Number(/VmHWM:\s+(\d+)/.exec(proc("status"))?.[1]);
		const begun = bytesRead() + 64 * 1024;
		while (bytesRead() < begun) await setTimeout(20);
		// Until it reads no more of the file, as it should, or has taken too much.
		let before: number;
		do {
			before = bytesRead();
			await setTimeout(100);
		} while (bytesRead() > before && peakKiB() < MOST_KIB);
		const peak = peakKiB();
		child.kill("SIGINT");
		assert.equal((await result).code, EXIT_CODES.interrupted);
		assert.ok(peak < MOST_KIB, `${peak} KiB`);
	});
});
