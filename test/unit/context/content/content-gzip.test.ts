import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { ContentGzip } from "../../../../src/context/content/content-gzip.js";
import type { ContentChunk } from "../../../../src/context/content/content-reader.js";

function chunkOf(...contents: readonly Uint8Array[]): ContentChunk {
	let end = 0;
	const pieces = contents.map((content, id) => {
		const start = end;
		end += content.length;
		return { id, start, end, last: true };
	});
	return { bytes: new Uint8Array(Buffer.concat(contents)), pieces };
}

const text = (length: number) => Buffer.alloc(length, "So much depends upon a red wheel barrow. ");

describe("the gzip of content", () => {
	it("packs each piece for itself, and leaves those as they are that do not shrink", () => {
		const contents = [text(4_000), text(200), Buffer.of(), randomBytes(30_000), text(60_000)];
		const { bytes, pieces, compression } = new ContentGzip().compress(chunkOf(...contents), 6);
		assert.deepEqual(
			pieces.map(({ id, gzipOf, last }) => [id, gzipOf, last]),
			[
				[0, 4_000, true],
				[1, undefined, true],
				[2, undefined, true],
				[3, undefined, true],
				[4, 60_000, true],
			],
		);
		const unpacked = pieces.map(({ start, end, gzipOf }) => {
			const part = Buffer.from(bytes.subarray(start, end));
			return gzipOf === undefined ? part : gunzipSync(part);
		});
		assert.deepEqual(unpacked, contents);
		assert.ok(bytes.length < 32_000, String(bytes.length));
		assert.equal(bytes.buffer.byteLength, bytes.length, "it can be handed to another thread");
		assert.equal(compression?.level, 6);
	});

	it("finds out where a file that shrinks begins not to, and the other way round", () => {
		const gzip = new ContentGzip();
		const packed = [text(60_000), randomBytes(60_000), randomBytes(60_000), text(60_000)].map(
			(content) => gzip.compress(chunkOf(content), 1).pieces[0]?.gzipOf !== undefined,
		);
		assert.deepEqual(packed, [true, false, false, true]);
	});

	it("does nothing at level 0", () => {
		const chunk = chunkOf(text(4_000));
		assert.equal(new ContentGzip().compress(chunk, 0), chunk);
	});
});
