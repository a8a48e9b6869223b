import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, suite, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { BytesMessageSchema, FileSend } from "../../../../src/buildkit/proto/gen/filesync_pb.js";
import { BuildFailedError } from "../../../../src/errors.js";
import type { BuildEvent } from "../../../../src/events.js";
import { build } from "../../../../src/index.js";
import { type Route, startFakeDaemon, streams } from "../../../support/fake-daemon.js";
import { frame, GrpcPeer } from "../../../support/grpc-peer.js";
import { tarBytes } from "../../image/export/tar-bytes.js";

const ID = `sha256:${"0".repeat(64)}`;
/** What BuildKit says where its cache was pruned between the arrival of a tar and its use. */
const TAR_LOST = 'failed to solve: Get "http://build-context-x1y2": context not found';
/** As Docker 28.5 says it with containerd's store, where images are deleted while one is stored. */
const LAYERS_LOST =
	`failed to solve: failed to prepare extraction snapshot "extract-912-Ab_c ${ID}": ` +
	`parent snapshot ${ID} does not exist: not found`;

suite("what the daemon has lost while it builds", () => {
	let root: string;
	before(() => {
		root = mkdtempSync(join(tmpdir(), "rbuild-lost-"));
		writeFileSync(join(root, "Dockerfile"), "FROM scratch\nCOPY . /\n");
	});
	after(() => rmSync(root, { recursive: true }));

	/** Builds on a daemon that fails so many times, for the reason. */
	async function buildFrom(context: string, message: string, failures: number, retries?: number) {
		let left = failures;
		const takes: Route = (request, response) =>
			streams(left-- > 0 ? { errorDetail: { message } } : { id: "moby.image.id", aux: { ID } })(
				request,
				response,
			);
		await using daemon = await startFakeDaemon({ routes: { "POST /build": takes } });
		const events: BuildEvent[] = [];
		const on = daemon.url;
		const built = await build(
			{ context, on, transfer: "tar", ...(retries === undefined ? {} : { retries }) },
			{ onEvent: (event) => events.push(event) },
		).catch((error: unknown) => error);
		const builds = daemon.requests.filter((request) => request.includes("/build?"));
		return { built, builds: builds.length, events };
	}

	test("has it build again, with a warning", async () => {
		for (const [reason, warning] of [
			[TAR_LOST, /sending the context again/],
			[LAYERS_LOST, /garbage-collected layers of the image .* building again/],
		] as const) {
			const { built, builds, events } = await buildFrom(root, reason, 2);
			assert.equal((built as { imageId?: string }).imageId, ID);
			assert.equal(builds, 3);
			const warnings = events.filter((event) => event.type === "warning");
			assert.equal(warnings.length, 2);
			for (const { message } of warnings) assert.match(message, warning);
		}
	});

	test("is given up on at last, with what to do", async () => {
		for (const [reason, hint] of [
			[TAR_LOST, /build cache was pruned/],
			[LAYERS_LOST, /Docker before 29\.4 .* build again/],
		] as const) {
			const { built, builds } = await buildFrom(root, reason, 9);
			assert.ok(built instanceof BuildFailedError, String(built));
			assert.match(built.hint ?? "", hint);
			assert.equal(builds, 3);
		}
	});

	test("is not tried again without --retries, nor for another reason", async () => {
		assert.equal((await buildFrom(root, LAYERS_LOST, 9, 0)).builds, 1);
		assert.equal((await buildFrom(root, "failed to solve: no space left", 9)).builds, 1);
	});

	test("takes what had come of the build with it", async () => {
		const out = mkdtempSync(join(tmpdir(), "rbuild-lost-out-"));
		const tars = [tarBytes([{ name: "lost" }]), tarBytes([{ name: "kept" }])];
		/** What is in the folder when a try begins, and when the daemon has sent it all. */
		const seen: number[] = [];
		let tries = 0;
		const sessions = new PassThrough({ objectMode: true });
		const peers: AsyncIterator<GrpcPeer> = sessions[Symbol.asyncIterator]();
		const session: Route = (_request, { socket }) => {
			socket?.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
			sessions.write(new GrpcPeer(socket as Socket));
		};
		const takes: Route = async (request, response) => {
			seen.push(readdirSync(out).length);
			const content = tars[tries++] ?? assert.fail("it was tried a third time");
			const data = toBinary(BytesMessageSchema, create(BytesMessageSchema, { data: content }));
			const path = `/${FileSend.typeName}/DiffCopy`;
			const { value: peer } = await peers.next();
			const { status } = await peer.call(path, frame(data));
			assert.equal(status, "0");
			seen.push(readdirSync(out).length);
			const lost = { errorDetail: { message: LAYERS_LOST } };
			streams(...(tries < tars.length ? [lost] : []))(request, response);
		};
		const routes = { "POST /session": session, "POST /build": takes };
		await using daemon = await startFakeDaemon({ routes });
		const dest = join(out, "files.tar");
		const outputs = [{ type: "tar", dest }];
		const on = daemon.url;
		await build({ context: root, on, outputs, transfer: "tar" }, { onEvent() {} });
		assert.deepEqual(seen, [0, 1, 0, 1]);
		assert.deepEqual(readFileSync(dest), tars[1]);
		assert.deepEqual(readdirSync(out), ["files.tar"]);
		rmSync(out, { recursive: true });
	});
});
