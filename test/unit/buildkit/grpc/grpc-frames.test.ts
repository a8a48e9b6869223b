import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { frameMessage, readMessages } from "../../../../src/buildkit/grpc/grpc-frames.js";
import { GRPC_STATUS } from "../../../../src/buildkit/grpc/grpc-status.js";

async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
	yield* chunks;
}

async function collect(messages: AsyncIterable<Uint8Array>): Promise<Buffer[]> {
	const all: Buffer[] = [];
	for await (const message of messages) all.push(Buffer.from(message));
	return all;
}

describe("gRPC frames", () => {
	it("are a zero byte, the length in four bytes and the message", () => {
		assert.deepEqual([...frameMessage(Buffer.from("abc"))], [0, 0, 0, 0, 3, 97, 98, 99]);
	});

	it("come out as they went in, wherever the bytes are cut", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
				fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 60 }),
				async (messages, sizes) => {
					let rest = Buffer.concat(messages.map(frameMessage));
					const chunks: Buffer[] = [];
					for (const size of sizes) {
						chunks.push(rest.subarray(0, size));
						rest = rest.subarray(size);
					}
					const read = await collect(readMessages(chunksOf(...chunks, rest), 40));
					assert.deepEqual(
						read,
						messages.map((message) => Buffer.from(message)),
					);
				},
			),
			{ numRuns: 200 },
		);
	});

	it("are refused when longer than the limit, before the message is there", async () => {
		const prefix = Buffer.from([0, 0, 0, 0, 11]);
		await assert.rejects(collect(readMessages(chunksOf(prefix), 10)), {
			status: GRPC_STATUS.resourceExhausted,
			message: "a message of 11 bytes is over the limit of 10",
		});
	});

	it("are refused when compressed", async () => {
		const compressed = Buffer.from([1, 0, 0, 0, 1, 120]);
		await assert.rejects(collect(readMessages(chunksOf(compressed), 10)), {
			status: GRPC_STATUS.unimplemented,
		});
	});

	for (const [where, bytes] of [
		["prefix", [0, 0, 0]],
		["message", [0, 0, 0, 0, 2, 120]],
		["message, at its very start", [0, 0, 0, 0, 2]],
	] as const) {
		it(`are refused when they end within the ${where}`, async () => {
			await assert.rejects(collect(readMessages(chunksOf(Buffer.from(bytes)), 10)), {
				status: GRPC_STATUS.internal,
			});
		});
	}
});
