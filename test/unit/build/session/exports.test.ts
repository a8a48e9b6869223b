import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import type { ExportDestination } from "../../../../src/build/plan/plan-outputs.js";
import { Exports, leftOut } from "../../../../src/build/session/exports.js";
import { type GrpcServer, serveGrpc } from "../../../../src/buildkit/grpc/grpc-server.js";
import { BytesMessageSchema } from "../../../../src/buildkit/proto/gen/filesync_pb.js";
import { DeliveryError } from "../../../../src/errors.js";
import type { BuildEvent } from "../../../../src/events.js";
import { answerOf, frame, GrpcPeer } from "../../../support/grpc-peer.js";
import { duplexPair } from "../../buildkit/duplex-pair.js";
import { pieces, tarBytes } from "../../image/export/tar-bytes.js";

const PATH = "/moby.filesync.v1.FileSend/DiffCopy";
const TAR = tarBytes([{ name: "file", content: "x".repeat(9000) }]);

describe("what a daemon sends back of a build", () => {
	let directory: string;
	let server: GrpcServer;
	let peer: GrpcPeer;
	let exports: Exports;
	let events: BuildEvent[];
	let onEvent: () => void;
	let aborting: AbortController;
	let stdout: Writable;

	beforeEach(() => {
		directory = realpathSync(mkdtempSync(join(tmpdir(), "rbuild-exports-")));
		events = [];
		onEvent = () => {};
		aborting = new AbortController();
	});
	afterEach(async () => {
		server.close();
		await exports[Symbol.asyncDispose]();
		rmSync(directory, { recursive: true });
	});

	/** Files and folders by their names, "-" for the standard output. */
	function expect(...places: string[]): void {
		const destinations = places.map((place): ExportDestination => {
			if (place === "-") return { kind: "stdout" };
			return { kind: place.endsWith("/") ? "folder" : "file", path: join(directory, place) };
		});
		const exporter = { type: "tar", attrs: {} };
		const planned = destinations.map((destination) => ({ output: "tar", exporter, destination }));
		const emit = (event: BuildEvent) => {
			events.push(event);
			onEvent();
		};
		const run = { emit, signal: aborting.signal };
		exports = new Exports(planned, stdout, run);
		const [ours, theirs] = duplexPair();
		const methods = exports.services.flatMap((service) => service.methods);
		server = serveGrpc(ours, { methods, onFailure: (_path, error) => assert.fail(String(error)) });
		peer = new GrpcPeer(theirs);
	}

	async function send(tar: Buffer, headers: Record<string, string> = {}) {
		const stream = peer.open(PATH, headers);
		const answer = answerOf(stream);
		for await (const data of pieces(tar)) {
			stream.write(frame(toBinary(BytesMessageSchema, create(BytesMessageSchema, { data }))));
		}
		stream.end();
		return answer;
	}

	it("is in its place after the commit, and told of", async () => {
		expect("out.tar");
		assert.deepEqual(await send(TAR), { status: "0", message: "", responses: [] });
		assert.ok(!readdirSync(directory).includes("out.tar"));
		const [report] = await exports.commit();
		assert.deepEqual(readFileSync(join(directory, "out.tar")), TAR);
		const destination = join(directory, "out.tar");
		assert.deepEqual(
			[report?.method, report?.destination, report?.bytes],
			["export", destination, TAR.length],
		);
		assert.deepEqual(
			events.map((event) => event.type === "deliver" && [event.status, event.bytes]),
			[
				["started", 0],
				["done", TAR.length],
			],
		);
	});

	it("is reported with the digest of the image that it holds", async () => {
		const digest = `sha256:${"a".repeat(64)}`;
		for (const [told, known] of [
			[digest, digest],
			["sha256:short", undefined],
		] as const) {
			expect("oci.tar");
			await send(TAR, { "exporter-md-containerimage.digest": told });
			assert.equal((await exports.commit())[0]?.digest, known);
		}
	});

	it("lacks what cannot be written here, symlinks on Windows, too", () => {
		const message = (platform: NodeJS.Platform) => leftOut(["dev/null", "a"], platform).message;
		assert.equal(message("linux"), 'skipped "dev/null" and 1 more: not a file, folder or link');
		assert.equal(message("win32"), 'skipped "dev/null" and 1 more: not a file or folder');
	});

	it("goes where its exporter's number says", async () => {
		expect("first.tar", "folder/");
		const second = tarBytes([{ name: "second" }]);
		const sent = [
			send(second, { "buildkit-attachable-exporter-id": "1" }),
			send(TAR, { "buildkit-attachable-exporter-id": "0" }),
		];
		for (const answer of await Promise.all(sent)) assert.equal(answer.status, "0");
		await exports.commit();
		assert.deepEqual(readFileSync(join(directory, "first.tar")), TAR);
		assert.deepEqual(readdirSync(join(directory, "folder")), ["second"]);
	});

	it("is refused where it was not asked for, or comes twice", async () => {
		expect("out.tar");
		for (const id of ["1", "-1", "x"]) {
			const answer = await send(TAR, { "buildkit-attachable-exporter-id": id });
			assert.equal(answer.status, "5", id);
		}
		assert.equal((await send(TAR)).status, "0");
		const again = await send(tarBytes([{ name: "other" }]));
		assert.deepEqual(again.message, "the output of exporter 0 is there already");
		await exports.commit();
		assert.deepEqual(readFileSync(join(directory, "out.tar")), TAR);
	});

	it("does not count when it is cut short, and leaves nothing behind", async () => {
		for (const place of ["out.tar", "folder/"]) {
			expect(place);
			const { status, message } = await send(TAR.subarray(0, -1024));
			assert.deepEqual([status, message], ["2", "the tar from the daemon is truncated"]);
			// The daemon's own reason is the better one.
			assert.equal(exports.failure, undefined);
			await assert.rejects(exports.commit(), (error) => {
				assert.ok(error instanceof DeliveryError);
				assert.match(error.message, /^the build is done, but the daemon has not sent all of /);
				return true;
			});
			await exports[Symbol.asyncDispose]();
			assert.deepEqual(readdirSync(directory), []);
		}
	});

	it("does not count when it never came", async () => {
		expect("out.tar");
		await assert.rejects(exports.commit(), DeliveryError);
	});

	it("fails the build with this side's reason where it cannot be taken", async () => {
		expect("missing/out.tar");
		const { status, message } = await send(TAR);
		assert.equal(status, "2");
		assert.match(message, /^cannot save to .*missing[\\/]out.tar: its folder does not exist$/);
		assert.equal(exports.failure?.message, message);
	});

	it("is thrown away when the run is aborted, which is not this side's failure", async () => {
		for (const place of ["out.tar", "folder/"]) {
			aborting = new AbortController();
			expect(place);
			const stream = peer.open(PATH);
			const answer = answerOf(stream);
			const data = TAR.subarray(0, 2000);
			const started = new Promise<void>((resolve) => {
				onEvent = resolve;
			});
			stream.write(frame(toBinary(BytesMessageSchema, create(BytesMessageSchema, { data }))));
			await started;
			// As a session does when its run is aborted.
			aborting.abort();
			server.close();
			await answer;
			assert.equal(exports.failure, undefined);
			await exports[Symbol.asyncDispose]();
			assert.deepEqual(readdirSync(directory), []);
		}
	});

	it("is written as it comes where it goes to a stream, which stays open", async () => {
		const written: Buffer[] = [];
		stdout = new Writable({
			write(chunk, _encoding, done) {
				written.push(chunk);
				done();
			},
		});
		expect("-");
		assert.equal((await send(TAR)).status, "0");
		const [report] = await exports.commit();
		assert.equal(report?.destination, "the standard output");
		assert.deepEqual(Buffer.concat(written), TAR);
		assert.equal(stdout.writableEnded, false);
	});

	it("is refused in what is no message", async () => {
		expect("out.tar");
		const stream = peer.open(PATH);
		stream.end(frame(Buffer.from([0x0a, 0xff])));
		const { status, message } = await answerOf(stream);
		assert.deepEqual([status, message], ["13", "the request is not a BytesMessage"]);
	});

	it("needs nothing of the session where nothing is to come", () => {
		expect();
		assert.deepEqual(exports.services, []);
	});
});
