import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ContentCompression } from "../../../../src/buildkit/file-sync/content-compression.js";

const CHUNK = 64 * 1024;

/** Sends so many chunks of text that shrinks to a half; whether each was compressed. */
function send(
	compression: ContentCompression,
	chunks: number,
	{ linkBytesPerMs, daemonBytesPerMs = 100_000, zlibBytesPerMs = 60_000 }: World,
): boolean[] {
	return Array.from({ length: chunks }, () => {
		const { level } = compression;
		const length = level > 0 ? CHUNK / 2 : CHUNK;
		const compressMs = level > 0 ? CHUNK / zlibBytesPerMs : 0;
		const takenMs = Math.max(length / linkBytesPerMs, CHUNK / daemonBytesPerMs);
		const elapsedMs = Math.max(takenMs, compressMs);
		const gzipOf = level > 0 ? { gzipOf: CHUNK } : {};
		compression.note(
			{
				bytes: new Uint8Array(length),
				pieces: [{ id: 0, start: 0, end: length, last: false, ...gzipOf }],
				...(level > 0 && { compression: { level, durationMs: compressMs } }),
			},
			Math.max(0, takenMs - compressMs),
			elapsedMs,
		);
		return level > 0;
	});
}

interface World {
	readonly linkBytesPerMs: number;
	readonly daemonBytesPerMs?: number;
	readonly zlibBytesPerMs?: number;
}

const share = (each: readonly boolean[]) => each.filter(Boolean).length / each.length;

describe("the compression of content", () => {
	it("goes on without a trial on a slow link", () => {
		assert.equal(share(send(new ContentCompression(), 300, { linkBytesPerMs: 125 })), 1);
	});

	it("goes on, but for a few trials, where it brings more across", () => {
		const used = share(send(new ContentCompression(), 1000, { linkBytesPerMs: 10_000 }));
		assert.ok(used > 0.9 && used < 1, String(used));
	});

	it("ends, but for a few trials, where the daemon is what takes the time", () => {
		const daemonIsSlow = { linkBytesPerMs: 100_000, daemonBytesPerMs: 5_000 };
		const used = share(send(new ContentCompression(), 1000, daemonIsSlow));
		assert.ok(used > 0 && used < 0.1, String(used));
	});

	it("ends where this machine is too slow for it", () => {
		const machineIsSlow = { linkBytesPerMs: 20_000, zlibBytesPerMs: 8_000 };
		const used = share(send(new ContentCompression(), 1000, machineIsSlow));
		assert.ok(used < 0.1, String(used));
	});

	it("begins again when the link becomes slow", () => {
		const compression = new ContentCompression();
		send(compression, 500, { linkBytesPerMs: 1_000_000 });
		assert.ok(share(send(compression, 2000, { linkBytesPerMs: 5_000 }).slice(-500)) > 0.9);
		send(compression, 500, { linkBytesPerMs: 1_000_000 });
		assert.equal(share(send(compression, 100, { linkBytesPerMs: 200 }).slice(-50)), 1);
	});
});
