import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
	ContentIndex,
	HASH_BYTES,
	type IndexParts,
} from "../../../../src/context/index/content-index.js";
import { comparePaths } from "../../../../src/context/tree/path-bytes.js";

const HEADER = { generation: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) };
const EMPTY: IndexParts = { base: undefined, delta: undefined };

interface Content {
	readonly path: string;
	readonly size: number;
	readonly modTime: bigint;
	readonly hash: Buffer;
}

function content(path: string, text = path): Content {
	const hash = createHash("sha256").update(text).digest().subarray(0, HASH_BYTES);
	return { path, size: text.length, modTime: 1_700_000_000_123_456_789n, hash };
}

function sorted(contents: Iterable<Content>): Content[] {
	return [...contents].sort((a, b) => comparePaths(a.path, b.path));
}

/** What is stored after one transfer: the changes, and all that was announced. */
function stored(parts: IndexParts, changes: Iterable<Content>, all = changes, syncedAt = 1) {
	const news = ContentIndex.read(parts, HEADER).with(sorted(changes), () => sorted(all), syncedAt);
	return { news, parts: { base: news.base ?? parts.base, delta: news.delta } };
}

function lookUp(parts: IndexParts, paths: readonly string[], header = HEADER) {
	const find = ContentIndex.read(parts, header).finder();
	return [...paths].sort(comparePaths).map(find);
}

describe("a content index", () => {
	it("has what was stored last under each path", () => {
		const change = fc.record({
			path: fc.constantFrom("a", "a/b", "b", "b.c", "é"),
			text: fc.string(),
		});
		fc.assert(
			fc.property(fc.array(fc.array(change)), (transfers) => {
				let parts = EMPTY;
				const model = new Map<string, Content>();
				for (const transfer of transfers) {
					const changes = new Map(transfer.map(({ path, text }) => [path, content(path, text)]));
					if (changes.size === 0) continue;
					for (const [path, one] of changes) model.set(path, one);
					parts = stored(parts, changes.values(), model.values()).parts;
				}
				const paths = sorted(model.values()).map(({ path }) => path);
				assert.deepEqual(lookUp(parts, paths), sorted(model.values()));
			}),
		);
	});

	it("keeps sizes beyond 32 bits, and times before 1970 and between milliseconds", () => {
		for (const modTime of [-1n, 0n, -1_500_000_001n, 4_102_444_800_000_000_001n]) {
			const one = { ...content("a"), size: 2 ** 40 + 1, modTime };
			assert.deepEqual(lookUp(stored(EMPTY, [one]).parts, ["a"]), [one]);
		}
	});

	it("stores what changed on top of a base, until that is more than a quarter of it", () => {
		const names = Array.from({ length: 4000 }, (_, at) => `file-${at}`);
		const first = stored(
			EMPTY,
			names.map((name) => content(name)),
		);
		assert.equal(first.news.delta, undefined);

		const few = names.slice(0, 500).map((name) => content(name, "changed"));
		const second = stored(first.parts, few, [], 2);
		assert.equal(second.news.base, undefined);
		assert.ok((second.news.delta?.length ?? 0) < (first.news.base?.length ?? 0) / 4);
		assert.equal(ContentIndex.read(second.parts, HEADER).syncedAt, 2);

		const more = names.slice(500, 1100).map((name) => content(name, "changed"));
		const everything = [...few, ...more].map(({ path }) => content(path, "changed"));
		const third = stored(second.parts, more, everything);
		assert.equal(third.news.delta, undefined);
		assert.deepEqual(lookUp(third.parts, ["file-0", "file-3999"]), [
			content("file-0", "changed"),
			undefined,
		]);
	});

	it("takes for empty what is damaged, or belongs to something else", () => {
		const { parts } = stored(EMPTY, [content("a")]);
		const { base = new Uint8Array() } = parts;
		fc.assert(
			fc.property(fc.nat(base.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
				const damaged = Uint8Array.from(base);
				damaged[at] = (damaged[at] as number) ^ change;
				assert.deepEqual(lookUp({ base: damaged, delta: undefined }, ["a"]), [undefined]);
				assert.deepEqual(lookUp({ base: base.subarray(0, at), delta: undefined }, ["a"]), [
					undefined,
				]);
			}),
		);
		const other = { ...HEADER, generation: Buffer.alloc(16, 9) };
		assert.deepEqual(lookUp(parts, ["a"], other), [undefined]);
		assert.deepEqual(lookUp(parts, ["a"], { ...HEADER, key: Buffer.alloc(32) }), [undefined]);
		assert.deepEqual(lookUp(parts, ["a"]), [content("a")]);
	});
});
