import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, inflateSync } from "node:zlib";
import fc from "fast-check";
import {
	CompressionWork,
	DeflatedPackets,
} from "../../../../../src/transport/ssh/compression/deflated-packets.js";
import { RawDeflate } from "../../../../../src/transport/ssh/compression/raw-deflate.js";

/** What goes over the wire for payloads that come in a row. */
class Stream {
	readonly packets: DeflatedPackets;
	readonly pieces: Buffer[] = [];

	constructor(deflate = RawDeflate.open(64 * 1024)) {
		assert.ok(deflate);
		this.packets = new DeflatedPackets(deflate, new CompressionWork());
	}

	send(payload: Buffer, level: number): Buffer {
		this.packets.level = level;
		const piece = this.packets.write(payload, (length) => Buffer.alloc(2 + length), 2).subarray(2);
		this.pieces.push(piece);
		return piece;
	}

	/** As the far side reads it, up to where it is. */
	received(): Buffer {
		return inflateSync(Buffer.concat(this.pieces), { finishFlush: constants.Z_SYNC_FLUSH });
	}
}

const payload = fc.oneof(
	fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
	fc
		.tuple(fc.string({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2000 }))
		.map(([text, times]) => Buffer.from(text.repeat(times))),
);

test("whatever is compressed or not, zlib reads what was sent, piece by piece", () => {
	fc.assert(
		fc.property(
			fc.array(fc.tuple(payload, fc.constantFrom(0, 1, 6)), { maxLength: 12 }),
			(sent) => {
				const stream = new Stream();
				const all: Buffer[] = [];
				for (const [bytes, level] of sent) {
					stream.send(bytes, level);
					all.push(bytes);
					assert.ok(stream.received().equals(Buffer.concat(all)));
				}
			},
		),
	);
});

test("what is alike in one packet and the next is sent once", () => {
	const stream = new Stream();
	const names = Buffer.from(Array.from({ length: 400 }, (_, n) => `src/${n * 7919}.ts`).join("\n"));
	const first = stream.send(names, 6);
	assert.ok(first.length < names.length);
	assert.ok(stream.send(names, 6).length < first.length / 10);
	stream.send(Buffer.from("between"), 0);
	assert.ok(stream.send(names, 6).length > first.length / 2, "but not across what was stored");
});

test("what is not compressed takes five bytes more, and the first packet seven", () => {
	const stream = new Stream();
	const content = Buffer.alloc(32_768, 1);
	assert.equal(stream.send(content, 0).length, content.length + 7);
	assert.equal(stream.send(content, 0).length, content.length + 5);
});

test("what does not shrink is stored, and what is too long for that is not", () => {
	const stream = new Stream();
	const noise = Buffer.alloc(40_000);
	for (let at = 0, state = 1; at < noise.length; at++) {
		state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
		noise[at] = state >>> 16;
	}
	stream.send(Buffer.of(1), 0);
	assert.equal(stream.send(noise, 6).length, noise.length + 5);
	const long = Buffer.concat([noise, noise]);
	stream.send(long, 0);
	assert.ok(
		stream
			.received()
			.subarray(1 + noise.length)
			.equals(long),
	);
});

test("new keys begin a new stream, of what was before them nothing is referred to", () => {
	const deflate = RawDeflate.open(64 * 1024);
	assert.ok(deflate);
	const names = Buffer.from(Array.from({ length: 400 }, (_, n) => `src/${n * 7919}.ts`).join("\n"));
	new Stream(deflate).send(names, 6);
	deflate.forget();
	const stream = new Stream(deflate);
	stream.send(names, 6);
	assert.ok(stream.received().equals(names));
});

test("what was saved is taken once, by whoever comes first and has sent so much", () => {
	const work = new CompressionWork();
	work.savedBytes = 100;
	assert.equal(work.takeSaved(70), 70);
	assert.equal(work.takeSaved(70), 30);
	assert.equal(work.takeSaved(70), 0);
	work.savedBytes = 110;
	assert.equal(work.takeSaved(70), 10);
});
