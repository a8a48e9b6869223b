import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FilteredFrames } from "../../../../src/buildkit/grpc/filtered-frames.js";
import { joinedHeaders, MOST_HEADER_BYTES } from "../../../../src/buildkit/grpc/joined-headers.js";
import { duplexPair } from "../duplex-pair.js";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const HEADERS = 1;
const CONTINUATION = 9;
const END_STREAM = 1;
const END_HEADERS = 4;
const PADDED = 8;

function frame(type: number, flags: number, payload: string | Buffer, stream = 1): Buffer {
	const header = Buffer.alloc(9);
	header.writeUIntBE(payload.length, 0, 3);
	header.writeUInt8(type, 3);
	header.writeUInt8(flags, 4);
	header.writeUInt32BE(stream, 5);
	return Buffer.concat([header, Buffer.from(payload)]);
}

/** What comes out of it where it comes in so many bytes at a time. */
async function passed(frames: readonly Buffer[], step: number): Promise<Buffer> {
	const [ours, theirs] = duplexPair();
	const filtered = new FilteredFrames(ours, [joinedHeaders]);
	const bytes = Buffer.concat([PREFACE, ...frames]);
	for (let at = 0; at < bytes.length; at += step) theirs.write(bytes.subarray(at, at + step));
	theirs.end();
	const chunks: Buffer[] = [];
	for await (const chunk of filtered) chunks.push(chunk);
	return Buffer.concat(chunks).subarray(PREFACE.length);
}

async function assertPassed(given: readonly Buffer[], expected: readonly Buffer[]): Promise<void> {
	for (const step of [1, 10, 1 << 20]) {
		assert.deepEqual(await passed(given, step), Buffer.concat(expected), `by ${step}`);
	}
}

describe("the headers of a request", () => {
	const data = frame(0, 0, "data");

	it("become one frame, wherever they were cut", async () => {
		const parts = [
			frame(HEADERS, END_STREAM, "one"),
			frame(CONTINUATION, 0, "two"),
			frame(CONTINUATION, END_HEADERS, "three"),
		];
		const joined = frame(HEADERS, END_STREAM | END_HEADERS, "onetwothree");
		await assertPassed([data, ...parts, data, ...parts], [data, joined, data, joined]);
	});

	it("stay as they are in one frame, with padding, or where another frame is between them", async () => {
		for (const frames of [
			[frame(HEADERS, END_HEADERS, "one"), data],
			[frame(HEADERS, PADDED, "\u0001one"), frame(CONTINUATION, END_HEADERS, "two"), data],
			[frame(HEADERS, 0, "one"), data, frame(CONTINUATION, END_HEADERS, "two")],
			[frame(HEADERS, 0, "one"), frame(CONTINUATION, END_HEADERS, "two", 3), data],
			[frame(HEADERS, 0, "one"), frame(HEADERS, 0, "two"), data],
		]) {
			await assertPassed(frames, frames);
		}
	});

	it("are not collected without end", async () => {
		const part = Buffer.alloc(16 * 1024, "x");
		const count = MOST_HEADER_BYTES / part.length + 2;
		const frames = Array.from({ length: count }, () => frame(CONTINUATION, 0, part));
		const endless = [frame(HEADERS, 0, "x"), ...frames];
		assert.deepEqual(await passed(endless, 1 << 20), Buffer.concat(endless));
	});
});
