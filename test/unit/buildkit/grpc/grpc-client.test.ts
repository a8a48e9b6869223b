import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, performServerHandshake, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { afterEach, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcClient, UnreadableStatusError } from "../../../../src/buildkit/grpc/grpc-client.js";
import { GRPC_STATUS, GrpcError } from "../../../../src/buildkit/grpc/grpc-status.js";
import { Control, SolveResponseSchema } from "../../../../src/buildkit/proto/gen/control_pb.js";
import { StatusResponseSchema } from "../../../../src/buildkit/proto/gen/trace_pb.js";
import { ConnectionError, EngineError, InterruptedError } from "../../../../src/errors.js";
import { frame } from "../../../support/grpc-peer.js";
import { duplexPair, endlessDuplex } from "../duplex-pair.js";

const { solve, status } = Control.method;
const HEADERS = { ":status": 200, "content-type": "application/grpc" };
const signal = new AbortController().signal;

const SOLVED = toBinary(
	SolveResponseSchema,
	create(SolveResponseSchema, { exporterResponse: { a: "b" } }),
);

describe("the gRPC client", () => {
	let client: GrpcClient;
	let connection: Duplex;

	/** The daemon's side, made of nothing but node's http2. */
	function connect(answer: (stream: ServerHttp2Stream, path: string) => void): void {
		const [ours, theirs] = duplexPair();
		connection = theirs;
		const server = performServerHandshake(theirs);
		server.on("error", () => {});
		server.on("stream", (stream: ServerHttp2Stream, headers: Record<string, unknown>) => {
			stream.on("error", () => {});
			answer(stream, String(headers[":path"]));
		});
		client = new GrpcClient(ours);
	}

	afterEach(() => {
		client.close();
		connection.destroy();
	});

	function finish(stream: ServerHttp2Stream, trailers: Record<string, string>): void {
		stream.once("wantTrailers", () => stream.sendTrailers(trailers));
		stream.end();
	}

	async function news(): Promise<readonly string[]> {
		const names: string[] = [];
		for await (const { vertexes } of client.serverStreaming(status, { ref: "r" }, { signal })) {
			names.push(...vertexes.map(({ name }) => name));
		}
		return names;
	}

	it("ends with the connection, though its own end does not get there", async () => {
		connection = endlessDuplex();
		client = new GrpcClient(connection);
		const failed = assert.rejects(news(), ConnectionError);
		// Until what it says at first is written.
		for (let turns = 0; turns < 10; turns++) await turn();
		connection.push(null);
		await failed;
		assert.equal(connection.destroyed, true);
	});

	it("calls a method and gives its answer", async () => {
		const seen: unknown[] = [];
		connect(async (stream, path) => {
			const request: Buffer[] = [];
			for await (const chunk of stream) request.push(chunk as Buffer);
			seen.push(path, Buffer.concat(request));
			stream.respond(HEADERS, { waitForTrailers: true });
			stream.write(frame(SOLVED));
			finish(stream, { "grpc-status": "0" });
		});
		const { exporterResponse } = await client.unary(solve, { ref: "r" }, { signal });
		assert.deepEqual(exporterResponse, { a: "b" });
		assert.deepEqual(seen, ["/moby.buildkit.v1.Control/Solve", frame("\n\x01r")]);
	});

	it("gives the messages of a stream as they come", async () => {
		const vertex = (name: string) =>
			frame(
				toBinary(
					StatusResponseSchema,
					create(StatusResponseSchema, { vertexes: [{ digest: name, name }] }),
				),
			);
		connect((stream) => {
			stream.respond(HEADERS, { waitForTrailers: true });
			const both = Buffer.concat([vertex("one"), vertex("two")]);
			stream.write(both.subarray(0, 9));
			setImmediate(() => {
				stream.write(both.subarray(9));
				finish(stream, { "grpc-status": "0" });
			});
		});
		assert.deepEqual(await news(), ["one", "two"]);
	});

	it("fails with the daemon's status, be it in trailers or headers", async () => {
		const failure = { "grpc-status": "2", "grpc-message": "caf%C3%A9 100%25" };
		connect((stream, path) => {
			if (path.endsWith("/Solve")) {
				stream.respond({ ...HEADERS, ...failure }, { endStream: true });
			} else {
				stream.respond(HEADERS, { waitForTrailers: true });
				finish(stream, { ...failure, "grpc-status": "99" });
			}
		});
		for (const call of [client.unary(solve, {}, { signal }), news()]) {
			await assert.rejects(call, (error) => {
				assert.ok(error instanceof GrpcError);
				assert.deepEqual([error.status, error.message], [GRPC_STATUS.unknown, "café 100%"]);
				return true;
			});
		}
	});

	it("cancels a call on the daemon's side when it is aborted, and no other", async () => {
		let cancelled: Promise<unknown> | undefined;
		connect((stream, path) => {
			if (path.endsWith("/Status")) {
				stream.respond(HEADERS, { waitForTrailers: true });
				finish(stream, { "grpc-status": "0" });
			} else {
				cancelled = once(stream, "close").then(() => stream.rstCode);
				abort.abort();
			}
		});
		const abort = new AbortController();
		const call = client.unary(solve, {}, { signal: abort.signal });
		await assert.rejects(call, InterruptedError);
		assert.equal(await cancelled, constants.NGHTTP2_CANCEL);
		assert.deepEqual(await news(), []);
		await assert.rejects(client.unary(solve, {}, { signal: abort.signal }), InterruptedError);
	});

	it("cancels a stream that is not read to its end", async () => {
		let cancelled: Promise<unknown> | undefined;
		connect((stream) => {
			stream.respond(HEADERS);
			stream.write(frame(""));
			cancelled = once(stream, "close").then(() => stream.rstCode);
		});
		for await (const _ of client.serverStreaming(status, {}, { signal })) break;
		assert.equal(await cancelled, constants.NGHTTP2_CANCEL);
	});

	it("tells a lost connection from a call that was reset", async () => {
		connect((stream, path) => {
			if (path.endsWith("/Solve")) stream.close(constants.NGHTTP2_REFUSED_STREAM);
			else connection.destroy();
		});
		await assert.rejects(client.unary(solve, {}, { signal }), (error) => {
			assert.ok(error instanceof GrpcError);
			assert.match(error.message, /reset the call \(HTTP\/2 code 7\)/);
			return true;
		});
		for (const call of [news, () => client.unary(solve, {}, { signal })]) {
			await assert.rejects(call(), (error) => {
				assert.ok(error instanceof ConnectionError);
				assert.equal(error.failure, "lost");
				return true;
			});
		}
	});

	it("tells of a lost connection where the daemon takes no more calls", async () => {
		connect((stream) => {
			stream.session?.close();
			stream.respond(HEADERS, { waitForTrailers: true });
			stream.write(frame(toBinary(StatusResponseSchema, create(StatusResponseSchema))));
		});
		const open = client.serverStreaming(status, { ref: "r" }, { signal });
		await open.next();
		for (let turns = 0; turns < 20; turns++) await turn();
		await assert.rejects(
			client.unary(solve, {}, { signal }),
			(error) => error instanceof ConnectionError && error.failure === "lost",
		);
		await open.return();
	});

	it("refuses an answer that makes no sense", async () => {
		connect((stream) => {
			stream.respond(HEADERS);
			stream.end(frame(Buffer.of(0xff)));
		});
		await assert.rejects(client.unary(solve, {}, { signal }), EngineError);
	});

	describe("where a status is too long for nghttp2, of which node before 22.23 says nothing", () => {
		/** As Go's server, which goes on after the client has told of a compression error. */
		function connectToGo(trailers: readonly Buffer[], onAnswered = () => {}): void {
			const [ours, theirs] = duplexPair();
			connection = theirs;
			client = new GrpcClient(ours);
			theirs.write(h2Frame(0x4, 0, 0));
			let received = Buffer.alloc(0);
			theirs.on("data", (chunk: Buffer) => {
				received = Buffer.concat([received, chunk]);
				if (!hasRequest(received)) return;
				theirs.removeAllListeners("data").resume();
				const answer = [h2Frame(0x1, 0x4, 1, Buffer.of(0x88)), ...trailers];
				theirs.write(Buffer.concat(answer), onAnswered);
			});
		}

		it("gives up after a while", async (context) => {
			context.mock.timers.enable({ apis: ["setTimeout"] });
			connectToGo(longTrailers());
			let isOver = false;
			const call = client.unary(solve, {}, { signal });
			call.catch(() => {
				isOver = true;
			});
			while (!isOver) {
				context.mock.timers.tick(1_000);
				await turn();
			}
			await assert.rejects(call, UnreadableStatusError);
		});

		it("ends when it is aborted, where no status has come", async () => {
			const abort = new AbortController();
			connectToGo([], () => abort.abort());
			const call = client.unary(solve, {}, { signal: abort.signal });
			await assert.rejects(call, InterruptedError);
		});
	});
});

/** The last headers of the first call: "x" with a value of 70,000 bytes (RFC 7541 6.2.2). */
function longTrailers(): Buffer[] {
	const length = 70_000;
	const rest = length - 127;
	const name = [0x00, 1, 0x78];
	const size = [0x7f, (rest & 127) | 128, ((rest >> 7) & 127) | 128, rest >> 14];
	const block = Buffer.concat([Buffer.from([...name, ...size]), Buffer.alloc(length, "y")]);
	const frames: Buffer[] = [];
	for (let start = 0; start < block.length; start += 16_384) {
		const isLast = start + 16_384 >= block.length;
		// HEADERS with END_STREAM, then CONTINUATION, the last of them with END_HEADERS.
		const [type, flags] = start === 0 ? [0x1, 0x1] : [0x9, isLast ? 0x4 : 0];
		frames.push(h2Frame(type, flags, 1, block.subarray(start, start + 16_384)));
	}
	return frames;
}

/** Whether there is a HEADERS frame behind the preface of 24 bytes. */
function hasRequest(received: Buffer): boolean {
	for (let at = 24; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
		if (received[at + 3] === 0x1) return true;
	}
	return false;
}

/** RFC 9113 4.1. */
function h2Frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
	const head = Buffer.alloc(9);
	head.writeUIntBE(payload.length, 0, 3);
	head.writeUInt8(type, 3);
	head.writeUInt8(flags, 4);
	head.writeUInt32BE(stream, 5);
	return Buffer.concat([head, payload]);
}
