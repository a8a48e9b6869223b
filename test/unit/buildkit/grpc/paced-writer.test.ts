import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { PacedWriter } from "../../../../src/buildkit/grpc/paced-writer.js";

const PIECE = 64 * 1024;

/** Writes that are taken as slowly as is said; their lengths. */
async function written(pieces: number, take: (bytes: number) => Promise<void>): Promise<number[]> {
	const lengths: number[] = [];
	const stream = new Writable({
		highWaterMark: 1,
		write: (chunk: Buffer, _, done) => {
			lengths.push(chunk.length);
			take(chunk.length).then(() => done());
		},
	});
	const writer = new PacedWriter(stream);
	for (let piece = 0; piece < pieces; piece++) await writer.write(new Uint8Array(PIECE));
	return lengths;
}

describe("a paced writer", () => {
	it("writes pieces as they are where they are taken at once", async () => {
		assert.deepEqual(await written(5, async () => {}), Array(5).fill(PIECE));
	});

	it("writes a slow stream no more at a time than it takes in a tenth of a second", async (context) => {
		let now = 0;
		context.mock.method(performance, "now", () => now);
		const [first, ...others] = await written(2, async (bytes) => {
			await Promise.resolve();
			now += bytes / 200;
		});
		assert.equal(first, PIECE);
		assert.equal(
			others.reduce((sum, length) => sum + length),
			PIECE,
		);
		assert.ok(Math.max(...others) <= 20_000, others.join(" "));
	});

	it("waits for nothing when the stream is gone", async () => {
		const stream = new Writable({ highWaterMark: 1, write: () => {} });
		const writing = new PacedWriter(stream).write(new Uint8Array(PIECE));
		stream.destroy();
		await writing;
	});
});
