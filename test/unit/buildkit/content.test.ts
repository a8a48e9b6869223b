import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { contentService } from "../../../src/buildkit/content.js";
import { frameMessage } from "../../../src/buildkit/grpc/grpc-frames.js";
import { serveGrpc } from "../../../src/buildkit/grpc/grpc-server.js";
import {
	InfoRequestSchema,
	InfoResponseSchema,
	ReadContentRequestSchema,
	ReadContentResponseSchema,
	WriteContentRequestSchema,
	WriteContentResponseSchema,
} from "../../../src/buildkit/proto/gen/content_pb.js";
import type { RbuildError } from "../../../src/errors.js";
import { OciLayout } from "../../../src/image/oci-layout.js";
import { answerOf, GrpcPeer } from "../../support/grpc-peer.js";
import { duplexPair } from "./duplex-pair.js";

const SERVICE = "/containerd.services.content.v1.Content";
const [STAT, WRITE, COMMIT] = [0, 1, 2];

function digestOf(content: string): string {
	return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

suite("blobs of this side that the daemon reads and writes", () => {
	let root: string;
	let folder: string;
	let peer: GrpcPeer;
	const failures: unknown[] = [];
	const refusals: RbuildError[] = [];

	beforeEach(async () => {
		root = await mkdtemp(join(tmpdir(), "rbuild-content-"));
		folder = join(root, "layout");
		const [ours, theirs] = duplexPair();
		const stores = new Map([["local:cache", new OciLayout(folder)]]);
		const { methods } = contentService(stores, (error) => refusals.push(error));
		serveGrpc(ours, { methods, onFailure: (_, error) => failures.push(error) });
		peer = new GrpcPeer(theirs);
	});
	afterEach(async () => {
		peer.session.destroy();
		await rm(root, { recursive: true });
		assert.deepEqual(failures.splice(0), []);
	});

	function ask(method: string, requests: readonly Uint8Array[], store = "local:cache") {
		const stream = peer.open(`${SERVICE}/${method}`, { "buildkit-attachable-store-id": store });
		for (const request of requests) stream.write(frameMessage(request));
		stream.end();
		return answerOf(stream);
	}

	async function info(digest: string, store?: string) {
		const request = toBinary(InfoRequestSchema, create(InfoRequestSchema, { digest }));
		const { status, responses } = await ask("Info", [request], store);
		const [bytes] = responses;
		return { status, size: bytes && fromBinary(InfoResponseSchema, bytes).info?.size };
	}

	async function write(...messages: MessageInitShape<typeof WriteContentRequestSchema>[]) {
		const requests = messages.map((message) =>
			toBinary(
				WriteContentRequestSchema,
				create(WriteContentRequestSchema, { ref: "r", ...message }),
			),
		);
		const { status, responses } = await ask("Write", requests);
		return {
			status,
			answers: responses.map((bytes) => {
				const { offset, digest } = fromBinary(WriteContentResponseSchema, bytes);
				return [Number(offset), digest] as const;
			}),
		};
	}

	function store(content: string, expected = digestOf(content)) {
		const data = Buffer.from(content);
		const total = BigInt(data.length);
		return write(
			{ action: STAT, expected, total },
			{ action: WRITE, data: data.subarray(0, 2) },
			{ action: COMMIT, offset: 2n, data: data.subarray(2), expected, total },
		);
	}

	async function read(digest: string, offset = 0, size = 0) {
		const message = { digest, offset: BigInt(offset), size: BigInt(size) };
		const request = create(ReadContentRequestSchema, message);
		const { status, responses } = await ask("Read", [toBinary(ReadContentRequestSchema, request)]);
		const parts = responses.map((bytes) => fromBinary(ReadContentResponseSchema, bytes).data);
		return { status, text: Buffer.concat(parts).toString() };
	}

	test("what is written and committed is there, and can be read in parts", async () => {
		const digest = digestOf("content");
		assert.equal((await info(digest)).status, "5");
		const { status, answers } = await store("content");
		assert.equal(status, "0");
		assert.deepEqual(answers, [
			[0, ""],
			[2, ""],
			[7, digest],
		]);
		assert.deepEqual(await info(digest), { status: "0", size: 7n });
		assert.deepEqual(await read(digest), { status: "0", text: "content" });
		assert.deepEqual(await read(digest, 3, 2), { status: "0", text: "te" });
		assert.deepEqual(await read(digest, 5, 100), { status: "0", text: "nt" });
		assert.equal((await read(digest, 8)).status, "11");
		assert.deepEqual(await readdir(folder), ["blobs"]);
	});

	test("what is there already is not taken again", async () => {
		await store("content");
		assert.equal((await store("content")).status, "6");
		assert.deepEqual(await readdir(folder), ["blobs"]);
	});

	test("what is not what it was said to be leaves nothing behind", async () => {
		assert.equal((await store("content", digestOf("something else"))).status, "9");
		const total = 100n;
		assert.equal((await write({ action: COMMIT, data: Buffer.from("x"), total })).status, "9");
		assert.equal((await write({ action: WRITE, data: Buffer.from("x") })).status, "0");
		assert.deepEqual(await readdir(folder), []);
	});

	test("a write goes on where the last one ended, or begins anew", async () => {
		const data = Buffer.from("x");
		const gap = await write({ action: WRITE, data }, { action: WRITE, offset: 5n, data });
		assert.equal(gap.status, "11");
		const again = await write({ action: WRITE, data }, { action: COMMIT, offset: 0n, data });
		assert.deepEqual(again.answers.at(-1), [1, digestOf("x")]);
	});

	test("a digest that is a path is none, and there is no other store", async () => {
		for (const digest of ["sha256:../../secret", "../secret", `sha512:${"0".repeat(128)}`, ""]) {
			assert.equal((await info(digest)).status, "3");
			assert.equal((await read(digest)).status, "3");
		}
		assert.equal((await write({ action: STAT, expected: "sha256:../x" })).status, "3");
		assert.equal((await info(digestOf("content"), "local:/etc")).status, "5");
	});

	test("are refused where they cannot be written, and this side hears why", async () => {
		await writeFile(folder, "a file");
		const content = "content";
		const { status } = await write({
			...{ action: 2, offset: 0n, total: BigInt(content.length) },
			...{ data: Buffer.from(content), expected: digestOf(content) },
		});
		assert.equal(status, "2");
		const [refusal = assert.fail()] = refusals.splice(0);
		assert.equal(refusal.name, "DeliveryError");
		assert.match(refusal.message, /^cannot save to .*layout/);
	});
});
