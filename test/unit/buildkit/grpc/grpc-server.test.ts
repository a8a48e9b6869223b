import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { FilteredFrames } from "../../../../src/buildkit/grpc/filtered-frames.js";
import { type GrpcServer, serveGrpc } from "../../../../src/buildkit/grpc/grpc-server.js";
import { GRPC_STATUS, GrpcError } from "../../../../src/buildkit/grpc/grpc-status.js";
import { healthService } from "../../../../src/buildkit/health.js";
import { Auth, CredentialsRequestSchema } from "../../../../src/buildkit/proto/gen/auth_pb.js";
import { type Call, type SessionMethod, unary } from "../../../../src/buildkit/session-service.js";
import { EngineError } from "../../../../src/errors.js";
import { answerOf, frame, GrpcPeer } from "../../../support/grpc-peer.js";
import { duplexPair, endlessDuplex } from "../duplex-pair.js";

const HEALTH = "/grpc.health.v1.Health/Check";
const CREDENTIALS = "/moby.filesync.v1.Auth/Credentials";
const EMPTY = frame("");

describe("the gRPC server of a session", () => {
	let peer: GrpcPeer;
	let server: GrpcServer;
	let failures: unknown[];

	const serve = (...methods: SessionMethod[]) => {
		const [ours, theirs] = duplexPair();
		failures = [];
		server = serveGrpc(ours, {
			methods: [...healthService().methods, ...methods],
			onFailure: (path, error) => failures.push(path, error),
		});
		peer = new GrpcPeer(theirs);
		return theirs;
	};

	afterEach(() => server.close());

	const assertHealthy = async () => {
		const { status, responses } = await peer.call(HEALTH, EMPTY);
		assert.equal(status, "0");
		assert.deepEqual(
			responses.map((response) => [...response]),
			[[8, 1]],
			"SERVING",
		);
	};

	const failing = (error: unknown) =>
		unary(Auth.method.credentials, () => {
			throw error;
		});

	it("answers health checks, any number of them at once", async () => {
		serve();
		await Promise.all([assertHealthy(), assertHealthy(), assertHealthy()]);
	});

	it("answers a method it does not know with UNIMPLEMENTED, and goes on", async () => {
		serve();
		const { status, message } = await peer.call("/moby.filesync.v1.Auth/FetchToken", EMPTY);
		assert.equal(status, "12");
		assert.equal(message, "rbuild does not serve /moby.filesync.v1.Auth/FetchToken");
		await assertHealthy();
	});

	it("gives a unary method the request and sends its response", async () => {
		serve(unary(Auth.method.credentials, ({ host }) => ({ username: `user of ${host}` })));
		const request = create(CredentialsRequestSchema, { host: "ghcr.io" });
		const answer = await peer.call(CREDENTIALS, frame(toBinary(CredentialsRequestSchema, request)));
		assert.equal(answer.status, "0");
		assert.equal(String(answer.responses[0]?.subarray(2)), "user of ghcr.io");
	});

	it("sends the status and message that a method ends with", async () => {
		serve(failing(new GrpcError(GRPC_STATUS.notFound, "100% lost: clé")));
		const answer = await peer.call(CREDENTIALS, EMPTY);
		assert.deepEqual(answer, { status: "5", message: "100% lost: clé", responses: [] });
		assert.deepEqual(failures, []);
	});

	it("sends an RbuildError's message and reports it", async () => {
		const error = new EngineError("no helper");
		serve(failing(error));
		const answer = await peer.call(CREDENTIALS, EMPTY);
		assert.deepEqual([answer.status, answer.message], ["2", "no helper"]);
		assert.deepEqual(failures, [CREDENTIALS, error]);
	});

	it("keeps the message of any other error to itself", async () => {
		const error = new TypeError("token=hunter2");
		serve(failing(error));
		const answer = await peer.call(CREDENTIALS, EMPTY);
		assert.deepEqual([answer.status, answer.message], ["13", "rbuild failed to answer"]);
		assert.deepEqual(failures, [CREDENTIALS, error]);
	});

	for (const [what, body, status] of [
		["no request at all", Buffer.alloc(0), "13"],
		["two requests for a unary method", Buffer.concat([EMPTY, EMPTY]), "13"],
		["half a frame", Buffer.from([0, 0, 0]), "13"],
		["a frame of 4 GiB", Buffer.from([0, 255, 255, 255, 255, 0]), "8"],
		["a compressed message", Buffer.from([1, 0, 0, 0, 1, 0]), "12"],
		["a message that is not protobuf", frame(Buffer.from([10, 200])), "13"],
	] as const) {
		it(`answers ${what} with status ${status}, and goes on`, async () => {
			serve();
			assert.equal((await peer.call(HEALTH, body)).status, status);
			assert.deepEqual(failures, []);
			await assertHealthy();
		});
	}

	it("streams both ways, one message at a time", async () => {
		serve({
			path: "/test.Echo/Stream",
			async *handle(requests) {
				for await (const request of requests) yield Buffer.from(`<${Buffer.from(request)}>`);
			},
		});
		const stream = peer.open("/test.Echo/Stream");
		stream.write(frame("one"));
		const [first] = (await once(stream, "data")) as [Buffer];
		assert.deepEqual(first, frame("<one>"));
		const answer = answerOf(stream);
		stream.end(frame("two"));
		const { status, responses } = await answer;
		assert.equal(status, "0");
		assert.deepEqual(responses.map(String), ["<two>"]);
	});

	it("asks a method for no more than the peer reads, and answers health meanwhile", async () => {
		let produced = 0;
		const message = new Uint8Array(64 * 1024);
		serve({
			path: "/test.Flood/Stream",
			async *handle() {
				for (; produced < 1000; produced++) yield message;
			},
		});
		const stream = peer.open("/test.Flood/Stream");
		stream.end();
		await once(stream, "response");
		await assertHealthy();
		assert.ok(produced < 10, `${produced} messages of 64 KiB were made for nobody`);
		const { responses } = await answerOf(stream);
		assert.equal(responses.length, 1000);
	});

	it("ends a call whose method did not want all of the requests", async () => {
		let call: Call | undefined;
		serve({
			path: "/test.First/Stream",
			async *handle(requests, aCall) {
				call = aCall;
				for await (const request of requests) {
					yield request;
					return;
				}
			},
		});
		const stream = peer.open("/test.First/Stream");
		stream.write(frame("first"));
		stream.end(frame(Buffer.alloc(40_000)));
		const { status, responses } = await answerOf(stream);
		assert.deepEqual([status, responses.map(String)], ["0", ["first"]]);
		if (!call?.signal.aborted) await once(call?.signal as AbortSignal, "abort");
		await assertHealthy();
	});

	it("tells a method that its call was canceled", async () => {
		let call: Call | undefined;
		serve({
			path: "/test.Wait/Stream",
			async *handle(requests, aCall) {
				call = aCall;
				yield Buffer.from("ready");
				for await (const _ of requests) yield Buffer.from("more");
			},
		});
		const stream = peer.open("/test.Wait/Stream");
		await once(stream, "data");
		stream.close(8);
		await once(call?.signal as AbortSignal, "abort");
		await assertHealthy();
		assert.deepEqual(failures, []);
	});

	it("hands repeated headers over as they were sent", async () => {
		let rawHeaders: readonly string[] = [];
		serve({
			path: "/test.Headers/Stream",
			async *handle(_requests, call) {
				rawHeaders = call.rawHeaders;
				yield Buffer.of();
			},
		});
		const stream = peer.open("/test.Headers/Stream", { "exclude-patterns": ["a, b", "c"] });
		stream.end();
		await answerOf(stream);
		const patterns = rawHeaders.filter((_, at) => rawHeaders[at - 1] === "exclude-patterns");
		assert.deepEqual(patterns, ["a, b", "c"]);
	});

	it("says that messages may be compressed where the peer takes that, and nothing of it elsewhere", async () => {
		serve({
			path: "/test.Gzip/Stream",
			async *handle(_requests, { takesGzip }) {
				yield Buffer.from(String(takesGzip));
			},
		});
		for (const [offered, encoding] of [
			[undefined, undefined],
			["identity", undefined],
			["xgzip", undefined],
			["gzip", "gzip"],
			["identity, deflate,gzip", "gzip"],
		]) {
			const headers = offered === undefined ? {} : { "grpc-accept-encoding": offered };
			const stream = peer.open("/test.Gzip/Stream", headers);
			stream.end();
			const answer = answerOf(stream);
			const [response] = (await once(stream, "response")) as [Record<string, string>];
			assert.equal(response["grpc-encoding"], encoding);
			assert.deepEqual((await answer).responses.map(String), [String(encoding === "gzip")]);
		}
	});

	it("closes on bytes that are no HTTP/2, without throwing", async () => {
		const [ours, theirs] = duplexPair();
		server = serveGrpc(ours, { methods: [], onFailure: () => {} });
		theirs.on("error", () => {}).resume();
		theirs.write("HTTP/1.1 500 Internal Server Error\r\n\r\nsorry");
		await server.closed;
		assert.equal(ours.destroyed, true);
	});

	for (const [what, end] of [
		["when the peer has nothing more to say", (_ours: Socket, theirs: Socket) => theirs.end()],
		["when the socket fails", (ours: Socket) => ours.destroy(new Error("connection reset"))],
	] as const) {
		it(`is closed ${what}, on a socket that may stay half open`, async () => {
			const listener = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
			await once(listener, "listening");
			const theirs = connect((listener.address() as AddressInfo).port, "127.0.0.1");
			const [ours] = (await once(listener, "connection")) as [Socket];
			listener.close();
			server = serveGrpc(ours, { methods: [], onFailure: () => {} });
			theirs.resume();
			end(ours, theirs);
			await server.closed;
			assert.equal(ours.destroyed, true);
		});
	}

	it("is closed when the peer has nothing more to say, though its own end does not get there", async () => {
		const connection = endlessDuplex();
		server = serveGrpc(new FilteredFrames(connection, []), { methods: [], onFailure: () => {} });
		connection.push(null);
		await server.closed;
		assert.equal(connection.destroyed, true);
	});

	it("is closed when the connection breaks in the middle of a call", async () => {
		let call: Call | undefined;
		const theirs = serve({
			path: "/test.Wait/Stream",
			async *handle(requests, aCall) {
				call = aCall;
				yield Buffer.from("ready");
				for await (const _ of requests) yield Buffer.from("more");
			},
		});
		await once(peer.open("/test.Wait/Stream"), "data");
		theirs.destroy(new Error("cable pulled"));
		await server.closed;
		await turn();
		assert.equal(call?.signal.aborted, true);
		assert.deepEqual(failures, []);
	});
});
