import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { after, before, type TestContext, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { fileSyncService } from "../../src/buildkit/file-sync/file-sync.js";
import { FilteredFrames } from "../../src/buildkit/grpc/filtered-frames.js";
import { serveGrpc } from "../../src/buildkit/grpc/grpc-server.js";
import { latePings } from "../../src/buildkit/grpc/late-pings.js";
import { healthService } from "../../src/buildkit/health.js";
import { PacketSchema } from "../../src/buildkit/proto/gen/fsutil_pb.js";
import type { SessionService } from "../../src/buildkit/session-service.js";
import { openDirectoryContext } from "../../src/context/thread/directory-context.js";
import type { Transport } from "../../src/transport/transport.js";
import { frame, GrpcPeer } from "../support/grpc-peer.js";
import { suiteWithSshd } from "../support/requirement.js";
import { type SlowLink, startSlowLink } from "../support/slow-link.js";
import { clientWith, hostSection, never, openTo } from "../support/ssh-client.js";
import { type Sshd, startSshd } from "../support/sshd.js";

const HEALTH = "/grpc.health.v1.Health/Check";
const DIFF_COPY = "/moby.filesync.v1.FileSync/DiffCopy";
const REQUEST = 1;

/** Of such a link, while nothing else is on it. */
const ROUND_TRIP_MS = 50;
/** Enough for five seconds of the link. */
const CONTENT = randomBytes(625_000);
/** Docker's client was found to take longer, and the daemon to end the session: docker/buildx#485. */
const MOST_SECONDS = 2;
/** The widest that gRPC for Go opens its window, by itself. */
const GO_WINDOW = 16 * 1024 * 1024;

suiteWithSshd("a build over 1 Mbit/s", () => {
	let directory: string;
	let sshd: Sshd;
	let link: SlowLink;
	let transport: Transport;
	let daemon: Server;
	/** Takes the daemon's end of the stream that is opened next. */
	let claim = (_stream: Socket) => {};

	before(async () => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-slow-"));
		const socketPath = join(directory, "daemon.sock");
		// The transport has streams ready that nobody asks for: those say nothing.
		daemon = createServer((socket) => {
			socket.on("error", () => {}).once("readable", () => socket.read(1) && claim(socket));
		}).listen(socketPath);
		await once(daemon, "listening");
		sshd = await startSshd();
		link = await startSlowLink(sshd.port);
		const knownAs = `HostKeyAlias [${sshd.host}]:${sshd.port}`;
		const config = hostSection("box", { ...sshd, port: link.port }, [knownAs]);
		transport = await openTo(`ssh://box${socketPath}`, await clientWith(directory, config));
	});

	after(async () => {
		await transport?.[Symbol.asyncDispose]();
		link?.close();
		await sshd?.stop();
		daemon?.close();
		rmSync(directory, { recursive: true, force: true });
	});

	/** A stream of the transport, and the daemon's end of it. */
	async function openStream(): Promise<readonly [ours: Duplex, theirs: Socket]> {
		const claimed = new Promise<Socket>((resolve) => {
			claim = resolve;
		});
		const ours = await transport.open(never);
		ours.on("error", () => {}).write("!");
		return [ours, await claimed];
	}

	/** A session on a stream of its own; the daemon's side of it. */
	async function openSession(test: TestContext, services: readonly SessionService[] = []) {
		const [ours, theirs] = await openStream();
		const methods = [healthService(), ...services].flatMap((service) => service.methods);
		const server = serveGrpc(new FilteredFrames(ours, [latePings(ROUND_TRIP_MS)]), {
			methods,
			onFailure: (_, error) => assert.fail(String(error)),
		});
		test.after(() => server.close());
		return new GrpcPeer(theirs, GO_WINDOW);
	}

	/** Asks how the session is until all content has come, and sees what the link carries before each answer. */
	async function assertAnswers(peer: GrpcPeer, received: () => number): Promise<void> {
		let checks = 0;
		while (received() < CONTENT.length) {
			const before = link.carried;
			const { status } = await peer.call(HEALTH, frame(""));
			assert.equal(status, "0");
			const seconds = (link.carried - before) / link.bytesPerSecond;
			assert.ok(seconds < MOST_SECONDS, `the answer came behind ${seconds} s of other bytes`);
			checks += 1;
		}
		assert.ok(checks > 2, `${checks} checks`);
	}

	test("answers health checks soon while files are synced", async (t) => {
		const root = join(directory, "context");
		mkdirSync(root);
		writeFileSync(join(root, "content"), CONTENT);
		await using context = openDirectoryContext({ root, keep: [], platform: "linux" }, never);
		const sync = fileSyncService({
			directories: new Map([["context", context]]),
			isFar: true,
			compressStream: () => transport.compress(),
			onTransfer: () => ({
				progress() {},
				done() {},
				failed: (error) => assert.fail(error.message),
			}),
		});
		const peer = await openSession(t, [sync]);
		const copy = peer.open(DIFF_COPY, { "dir-name": "context" });
		let bytes = 0;
		copy.on("data", (chunk) => {
			bytes += chunk.length;
		});
		// The list of files is short, and has come at once.
		await once(copy, "data");
		copy.write(frame(toBinary(PacketSchema, create(PacketSchema, { type: REQUEST, id: 0 }))));
		await assertAnswers(peer, () => bytes);
		copy.close();
	});

	test("answers health checks soon while a tar is sent beside the session", async (t) => {
		const peer = await openSession(t);
		const [ours, theirs] = await openStream();
		let bytes = 0;
		theirs.on("data", (chunk) => {
			bytes += chunk.length;
		});
		ours.end(CONTENT);
		await assertAnswers(peer, () => bytes);
	});
});
