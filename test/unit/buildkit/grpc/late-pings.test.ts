import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FilteredFrames } from "../../../../src/buildkit/grpc/filtered-frames.js";
import { latePings } from "../../../../src/buildkit/grpc/late-pings.js";
import { duplexPair } from "../duplex-pair.js";

const ROUND_TRIP_MS = 40;
/** As long as one is held. */
const HELD_MS = 10;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const ESTIMATE = frame(6, Buffer.from([2, 4, 16, 16, 9, 14, 7, 7]));
const SIGN_OF_LIFE = frame(6, Buffer.alloc(8));
const WINDOW_UPDATE = frame(8, Buffer.from([0, 1, 0, 0]));
/** That looks like the frame that is held. */
const DATA = frame(0, Buffer.concat([ESTIMATE, ESTIMATE]));

function frame(type: number, payload: Buffer): Buffer {
	const header = Buffer.alloc(9);
	header.writeUIntBE(payload.length, 0, 3);
	header[3] = type;
	return Buffer.concat([header, payload]);
}

function withLatePings(connection: Duplex, roundTripMs = ROUND_TRIP_MS): FilteredFrames {
	return new FilteredFrames(connection, [latePings(roundTripMs)]);
}

describe("a connection with late pings", () => {
	let far: Duplex;
	let near: Duplex;
	let received: Buffer;

	beforeEach(() => {
		mock.timers.enable({ apis: ["setTimeout"] });
		const [ours, theirs] = duplexPair();
		far = theirs;
		near = withLatePings(ours);
		received = Buffer.alloc(0);
		near
			.on("error", () => {})
			.on("data", (chunk) => {
				received = Buffer.concat([received, chunk]);
			});
	});

	afterEach(() => mock.timers.reset());

	const assertReceived = async (...frames: Buffer[]) => {
		do await turn();
		while (far.writableLength > 0);
		assert.equal(received.toString("hex"), Buffer.concat(frames).toString("hex"));
	};

	it("holds nothing where the link is near", async () => {
		const [ours, theirs] = duplexPair();
		const chunks: Buffer[] = [];
		withLatePings(ours, 1).on("data", (chunk) => chunks.push(chunk));
		theirs.write(Buffer.concat([PREFACE, ESTIMATE]));
		await turn();
		await turn();
		assert.deepEqual(Buffer.concat(chunks), Buffer.concat([PREFACE, ESTIMATE]));
	});

	it("lets by what the ping would have been answered before", async () => {
		far.write(Buffer.concat([PREFACE, ESTIMATE, WINDOW_UPDATE]));
		far.write(DATA);
		await assertReceived(PREFACE, WINDOW_UPDATE, DATA);
		mock.timers.tick(HELD_MS);
		await assertReceived(PREFACE, WINDOW_UPDATE, DATA, ESTIMATE);
		far.write(Buffer.concat([ESTIMATE, WINDOW_UPDATE]));
		await assertReceived(PREFACE, WINDOW_UPDATE, DATA, ESTIMATE, WINDOW_UPDATE);
		mock.timers.tick(HELD_MS);
		await assertReceived(PREFACE, WINDOW_UPDATE, DATA, ESTIMATE, WINDOW_UPDATE, ESTIMATE);
	});

	it("holds one at a time, and no ping that asks for a sign of life", async () => {
		far.write(Buffer.concat([PREFACE, SIGN_OF_LIFE, ESTIMATE, ESTIMATE, SIGN_OF_LIFE]));
		await assertReceived(PREFACE, SIGN_OF_LIFE, ESTIMATE, SIGN_OF_LIFE);
		mock.timers.tick(HELD_MS);
		await assertReceived(PREFACE, SIGN_OF_LIFE, ESTIMATE, SIGN_OF_LIFE, ESTIMATE);
	});

	it("knows it however the bytes come", async () => {
		const bytes = Buffer.concat([PREFACE, DATA, ESTIMATE, WINDOW_UPDATE]);
		for (const byte of bytes) far.write(Buffer.of(byte));
		await assertReceived(PREFACE, DATA, WINDOW_UPDATE);
		mock.timers.tick(HELD_MS);
		await assertReceived(PREFACE, DATA, WINDOW_UPDATE, ESTIMATE);
	});

	it("puts it between two frames", async () => {
		far.write(Buffer.concat([PREFACE, ESTIMATE, DATA.subarray(0, 20)]));
		await assertReceived(PREFACE, DATA.subarray(0, 20));
		mock.timers.tick(HELD_MS);
		await assertReceived(PREFACE, DATA.subarray(0, 20));
		far.write(DATA.subarray(20));
		await assertReceived(PREFACE, DATA, ESTIMATE);
	});

	it("passes on what is written, and either end of it", async () => {
		const chunks: Buffer[] = [];
		far.on("data", (chunk) => chunks.push(chunk));
		near.cork();
		near.write("one");
		near.write("two");
		near.uncork();
		await turn();
		assert.equal(String(Buffer.concat(chunks)), "onetwo");
		const ended = once(far, "end");
		near.end();
		await ended;
		const gone = once(near, "end");
		far.end(PREFACE.subarray(0, 4));
		await gone;
		assert.equal(String(received), "PRI ");
	});

	it("forgets the ping that waits at its end", async () => {
		const [ours, theirs] = duplexPair();
		const late = withLatePings(ours);
		const errors: Error[] = [];
		late.on("error", (error) => errors.push(error)).resume();
		theirs.end(Buffer.concat([PREFACE, ESTIMATE]));
		await once(late, "end");
		mock.timers.tick(HELD_MS);
		await turn();
		assert.deepEqual(errors, []);
	});

	it("is gone when the connection is, and takes it along", async () => {
		const gone = once(near, "close");
		far.destroy();
		await gone;
		const [ours, theirs] = duplexPair();
		const late = withLatePings(ours);
		const error = once(late, "error");
		ours.destroy(new Error("lost"));
		assert.equal((await error)[0].message, "lost");
		const closed = once(theirs, "close");
		withLatePings(ours).destroy();
		await closed;
		assert.equal(ours.destroyed, true);
	});
});
