import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { AdaptiveGzip } from "../../../../src/context/content/adaptive-gzip.js";
import {
	type CompressionRound,
	LevelChoice,
} from "../../../../src/context/content/compression-level.js";
import { without } from "../../../support/this-system.js";

/** Goes through the levels whatever happens. */
class FixedLevels extends LevelChoice {
	readonly rounds: CompressionRound[] = [];
	readonly #levels: number[];

	constructor(...levels: number[]) {
		super();
		this.#levels = levels;
	}

	override get level(): number {
		return this.#levels[this.rounds.length % this.#levels.length] as number;
	}

	override note(round: CompressionRound): void {
		this.rounds.push(round);
	}
}

/** The same each time, and nothing that zlib could shrink. */
function noise(bytes: number): Buffer {
	const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
	return cipher.update(Buffer.alloc(bytes));
}

/** Shrinks to about a half. */
const text = (bytes: number) => Buffer.from(noise(bytes / 2).toString("hex"));

function compress(content: Buffer, choice = new LevelChoice(), decideAt?: number) {
	return buffer(chunksOf(content).pipe(new AdaptiveGzip(choice, decideAt)));
}

function chunksOf(content: Buffer): Readable {
	const chunks = Array.from({ length: Math.ceil(content.length / 65536) }, (_, n) =>
		content.subarray(n * 65536, (n + 1) * 65536),
	);
	return Readable.from(chunks);
}

/** As pigz and gzip read it, which check the sum and the size. */
const gunzip = (compressed: Buffer) =>
	execFileSync("gzip", ["-dc"], { input: compressed, maxBuffer: 64 * 1024 * 1024 });

describe("adaptive gzip", () => {
	it("is read back by gzip, through all changes of the level", {
		skip: without("gzip"),
	}, async () => {
		const content = Buffer.concat([text(3_000_000), noise(1_000_000), text(3_000_000)]);
		const choice = new FixedLevels(0, 6, 1, 4);
		const compressed = await compress(content, choice, 0);
		assert.ok(gunzip(compressed).equals(content));
		assert.deepEqual(new Set(choice.rounds.map(({ level }) => level)), new Set([0, 1, 4, 6]));
	});

	it("of nothing is an empty gzip stream", { skip: without("gzip") }, async () => {
		assert.equal(gunzip(await compress(Buffer.of())).length, 0);
	});

	it("makes as much smaller as the level says", async () => {
		const content = text(2_000_000);
		const [stored, low, high] = await Promise.all(
			[0, 1, 6].map((level) => compress(content, new FixedLevels(level))),
		);
		assert.ok(stored && low && high);
		assert.ok(stored.length > content.length);
		assert.ok(low.length < content.length * 0.7);
		assert.ok(high.length < low.length);
	});

	it("stores what does not shrink, whatever the level", { skip: without("gzip") }, async () => {
		const content = noise(2_000_000);
		const choice = new FixedLevels(6);
		const compressed = await compress(content, choice);
		assert.ok(gunzip(compressed).equals(content));
		assert.ok(compressed.length < content.length * 1.001);
		for (const { level } of choice.rounds) assert.equal(level, 0);
	});

	it("tells the choice what went in and came out, and for how long it waited", async () => {
		const choice = new FixedLevels(1);
		const content = text(4_000_000);
		const compressed = await compress(content, choice);
		const sum = (field: "inputBytes" | "outputBytes") =>
			choice.rounds.reduce((total, round) => total + round[field], 0);
		assert.ok(sum("inputBytes") > content.length - 600_000);
		assert.ok(sum("inputBytes") <= content.length);
		assert.ok(sum("outputBytes") <= compressed.length);
		for (const { compressMs, waitedMs } of choice.rounds) {
			assert.ok(compressMs > 0);
			assert.ok(waitedMs >= 0);
		}
	});

	it("makes the same bytes of the same content, however slowly they are read at first", async () => {
		const content = Buffer.concat([text(3_000_000), noise(1_000_000), text(2_000_000)]);
		const slowly: Buffer[] = [];
		for await (const chunk of chunksOf(content).pipe(new AdaptiveGzip())) {
			slowly.push(chunk);
			await setImmediate();
		}
		assert.ok(Buffer.concat(slowly).equals(await compress(content)));
	});

	it("compresses no further while its output is not read", { skip: without("gzip") }, async () => {
		const content = noise(8 * 1024 * 1024);
		const gzip = new AdaptiveGzip();
		gzip.end(content);
		// Another one, which is read, shows how long all of it would take.
		await compress(content);
		while (gzip.readableLength < gzip.readableHighWaterMark) await setImmediate();
		assert.ok(gzip.readableLength < 1024 * 1024, `${gzip.readableLength} bytes are waiting`);
		assert.ok(gunzip(await buffer(gzip)).equals(content));
	});

	it("can be destroyed in the middle", async () => {
		const gzip = new AdaptiveGzip();
		gzip.write(text(100_000));
		gzip.destroy(new Error("the link broke"));
		await assert.rejects(buffer(gzip), { message: "the link broke" });
	});
});
