import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StreamEffort } from "../../../../src/buildkit/file-sync/stream-effort.js";

const CHUNK = 64 * 1024;

interface World {
	readonly linkBytesPerMs: number;
	readonly zlibBytesPerMs?: number;
	/** What is left of a content. */
	readonly ratio?: number;
}

/** Sends so many chunks; the level at which each went. */
function send(
	effort: StreamEffort,
	chunks: number,
	{ linkBytesPerMs, zlibBytesPerMs = 60_000, ratio = 0.5 }: World,
): number[] {
	return Array.from({ length: chunks }, () => {
		const { level } = effort;
		const kept = level > 0 ? Math.round(CHUNK * ratio) : CHUNK;
		const slowness = level === 6 ? 3 : 1;
		const compressMs = level > 0 ? (CHUNK / zlibBytesPerMs) * slowness : 0;
		const elapsedMs = Math.max(compressMs, kept / linkBytesPerMs);
		effort.note({ bytes: CHUNK, savedBytes: CHUNK - kept, compressMs, elapsedMs });
		return level;
	});
}

const share = (levels: readonly number[], level: number) =>
	levels.filter((each) => each === level).length / levels.length;

describe("the effort of compressing a stream", () => {
	it("is small on a link that is about as fast as zlib", () => {
		assert.equal(share(send(new StreamEffort(true), 1000, { linkBytesPerMs: 12_500 }), 1), 1);
	});

	it("is large, all but at first, on a link that leaves the time for it", () => {
		const levels = send(new StreamEffort(true), 1000, { linkBytesPerMs: 1_000 });
		assert.ok(share(levels, 6) > 0.95, String(share(levels, 6)));
	});

	it("is none where the link takes more than zlib gives, once that shows", () => {
		const levels = send(new StreamEffort(true), 4000, { linkBytesPerMs: 500_000 });
		assert.equal(share(levels.slice(100), 0), 1);
	});

	it("is none, but for a few trials, where zlib is slower than the link", () => {
		const world = { linkBytesPerMs: 18_000, zlibBytesPerMs: 15_000 };
		const levels = send(new StreamEffort(true), 4000, world);
		assert.ok(share(levels, 0) > 0.9, String(share(levels, 0)));
		assert.ok(levels.slice(1000).includes(1));
	});

	it("is none, but for a few trials, for what does not shrink", () => {
		const levels = send(new StreamEffort(true), 4000, { linkBytesPerMs: 5_000, ratio: 1 });
		assert.ok(share(levels, 0) > 0.9, String(share(levels, 0)));
	});

	it("is not given up for one round in which the link seems to take everything", () => {
		const effort = new StreamEffort(true);
		const wan = { linkBytesPerMs: 12_500 };
		send(effort, 64, wan);
		send(effort, 16, { linkBytesPerMs: 500_000 });
		assert.equal(share(send(effort, 64, wan), 1), 1);
	});

	it("follows the link, and what is sent", () => {
		const effort = new StreamEffort(true);
		send(effort, 500, { linkBytesPerMs: 500_000 });
		assert.equal(share(send(effort, 2000, { linkBytesPerMs: 12_500 }).slice(-500), 1), 1);
		assert.equal(share(send(effort, 500, { linkBytesPerMs: 500 }).slice(-200), 6), 1);
		assert.equal(share(send(effort, 500, { linkBytesPerMs: 12_500 }).slice(-200), 1), 1);
		send(effort, 500, { linkBytesPerMs: 5_000, ratio: 1 });
		assert.equal(share(send(effort, 2000, { linkBytesPerMs: 12_500 }).slice(-500), 1), 1);
	});

	it("is none on a link that is taken for fast, until a slow one shows", () => {
		const fast = send(new StreamEffort(false), 4000, { linkBytesPerMs: 50_000 });
		assert.equal(share(fast, 0), 1);
		const slow = send(new StreamEffort(false), 1000, { linkBytesPerMs: 12_500 });
		assert.equal(share(slow.slice(0, 100), 0), 1);
		assert.equal(share(slow.slice(200), 1), 1);
	});

	it("is the small one for the few bytes of a small build", () => {
		assert.deepEqual(send(new StreamEffort(true), 10, { linkBytesPerMs: 10 }).slice(0, 2), [1, 1]);
	});
});
