import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, inflateSync } from "node:zlib";
import fc from "fast-check";
import {
	CompressionWork,
	DeflatedPackets,
} from "../../../../src/transport/ssh/deflated-packets.js";

/** What goes over the wire for payloads that come in a row. */
class Stream {
	readonly packets = new DeflatedPackets(new CompressionWork());
	readonly pieces: Buffer[] = [];

	send(payload: Buffer, compressing: boolean): Buffer {
		this.packets.level = compressing ? 6 : 0;
		const piece = this.packets.compress(payload) ?? this.#stored(payload);
		this.pieces.push(piece);
		return piece;
	}

	/** As the far side reads it, up to where it is. */
	received(): Buffer {
		return inflateSync(Buffer.concat(this.pieces), { finishFlush: constants.Z_SYNC_FLUSH });
	}

	#stored(payload: Buffer): Buffer {
		const { overhead } = this.packets;
		const piece = Buffer.alloc(overhead + payload.length);
		this.packets.store(piece, 0, payload.length);
		payload.copy(piece, overhead);
		return piece;
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
		fc.property(fc.array(fc.tuple(payload, fc.boolean()), { maxLength: 12 }), (sent) => {
			const stream = new Stream();
			const all: Buffer[] = [];
			for (const [bytes, compressing] of sent) {
				stream.send(bytes, compressing);
				all.push(bytes);
				assert.ok(stream.received().equals(Buffer.concat(all)));
			}
		}),
	);
});

test("what is alike in one packet and the next is sent once", () => {
	const stream = new Stream();
	const names = Buffer.from(Array.from({ length: 400 }, (_, n) => `src/${n * 7919}.ts`).join("\n"));
	const first = stream.send(names, true);
	assert.ok(first.length < names.length);
	assert.ok(stream.send(names, true).length < first.length / 10);
	stream.send(Buffer.from("between"), false);
	assert.ok(stream.send(names, true).length > first.length / 2, "but not across what was stored");
});

test("what is not compressed takes five bytes more, and the first packet seven", () => {
	const stream = new Stream();
	const content = Buffer.alloc(32_768, 1);
	assert.equal(stream.send(content, false).length, content.length + 7);
	assert.equal(stream.send(content, false).length, content.length + 5);
});

test("what does not shrink is stored, and what is too long for that is not", () => {
	const stream = new Stream();
	const noise = Buffer.alloc(40_000);
	for (let at = 0, state = 1; at < noise.length; at++) {
		state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
		noise[at] = state >>> 16;
	}
	stream.send(Buffer.of(1), false);
	assert.equal(stream.send(noise, true).length, noise.length + 5);
	const long = Buffer.concat([noise, noise]);
	stream.send(long, false);
	assert.ok(
		stream
			.received()
			.subarray(1 + noise.length)
			.equals(long),
	);
});
