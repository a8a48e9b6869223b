import assert from "node:assert/strict";
import {
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { BlobCache } from "../../../../src/image/cache/blob-cache.js";
import { cachedBlobs, pruneCache } from "../../../../src/image/cache/cache-pruning.js";
import { digestOf } from "../../../../src/image/manifest/digest.js";
import { posixOnly } from "../../../support/this-system.js";

const { signal } = new AbortController();
const HOUR = 3600 * 1000;

describe("the cache of blobs", () => {
	let folder: string;
	let cache: BlobCache;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "rbuild-blobs-"));
		cache = new BlobCache(folder);
	});
	afterEach(() => rmSync(folder, { recursive: true }));

	const incoming = () => readdirSync(join(folder, "incoming"));
	const blob = (text: string) => Buffer.from(text);

	it("gives back what was stored, under its digest alone", async () => {
		const digest = await cache.store(blob("layer"));
		assert.equal(digest, digestOf(blob("layer")));
		assert.deepEqual(await cache.content(digest), blob("layer"));
		assert.equal(await cache.use(digest, signal), 5);
		const hex = digest.slice(7);
		assert.equal(cache.path(digest), join(folder, "blobs/sha256", hex.slice(0, 2), hex));
		assert.deepEqual(incoming(), []);
	});

	it("knows nothing of what it does not have", async () => {
		const digest = digestOf(blob("elsewhere"));
		assert.equal(await cache.content(digest), undefined);
		assert.equal(await cache.use(digest, signal), undefined);
		assert.deepEqual(await cachedBlobs(new BlobCache("/nonexistent/cache")), []);
	});

	it("is not empty where it cannot be listed", {
		skip: process.platform === "win32" && "links take a privilege there",
	}, async () => {
		symlinkSync("blobs", join(folder, "blobs"));
		const reason = /^cannot read the image cache at .*: too many levels of symbolic links$/;
		await assert.rejects(cachedBlobs(cache), { name: "DeliveryError", message: reason });
		await assert.rejects(pruneCache(cache, 0), { name: "DeliveryError", message: reason });
	});

	it("has what came in parts under its digest, once it is committed", async () => {
		await using coming = await cache.receive();
		await coming.append(blob("la"));
		await coming.append(blob("yer"));
		const digest = coming.digest();
		assert.equal(digest, digestOf(blob("layer")));
		assert.deepEqual(await cachedBlobs(cache), []);
		await coming.commit();
		assert.deepEqual(await cache.content(digest), blob("layer"));
		assert.deepEqual(incoming(), []);
	});

	it("names the blob that is to be read and is not there", async () => {
		const digest = digestOf(blob("elsewhere"));
		await assert.rejects(cache.read(digest).next(), {
			name: "DeliveryError",
			message: `cannot read ${digest} from the image cache: no such file or directory`,
		});
	});

	it("keeps nothing of a blob that was given up", async () => {
		{
			await using coming = await cache.receive();
			await coming.append(blob("half"));
			assert.equal(incoming().length, 1);
		}
		assert.deepEqual(incoming(), []);
	});

	it("takes the same blob from many at once", async () => {
		const content = Buffer.alloc(300_000, "same");
		const digests = await Promise.all(
			Array.from({ length: 8 }, () => new BlobCache(folder).store(content)),
		);
		assert.deepEqual(
			await cachedBlobs(cache).then((blobs) => blobs.map(({ size }) => size)),
			[300_000],
		);
		assert.deepEqual(readFileSync(cache.path(digests[0] ?? assert.fail())), content);
		assert.deepEqual(incoming(), []);
	});

	it("finds a damaged blob and removes it", async () => {
		const digest = await cache.store(blob("whole"));
		writeFileSync(cache.path(digest), "whale");
		assert.equal(await cache.verify(digest, signal), undefined);
		assert.deepEqual(await cachedBlobs(cache), []);
		await cache.store(blob("whole"));
		writeFileSync(cache.path(digest), "");
		assert.equal(await cache.content(digest), undefined);
		assert.deepEqual(await cachedBlobs(cache), []);
	});

	it("says which folder cannot be written", { skip: posixOnly }, async () => {
		const file = join(folder, "file");
		writeFileSync(file, "");
		await assert.rejects(new BlobCache(file).store(blob("x")), {
			name: "DeliveryError",
			message: new RegExp(`^cannot write to the image cache at ${file}/incoming: `),
		});
	});

	describe("pruned", () => {
		/** Blobs of 10 bytes that were used so many hours ago. */
		const used = async (...hours: number[]) => {
			const digests = [];
			for (const [index, ago] of hours.entries()) {
				const digest = await cache.store(blob(`blob ${index}`.padEnd(10)));
				const at = new Date(Date.now() - ago * HOUR);
				utimesSync(cache.path(digest), at, at);
				digests.push(digest);
			}
			return digests;
		};
		const left = async () => (await cachedBlobs(cache)).map(({ digest }) => digest).sort();

		it("loses what was not used for the longest time, until it is small enough", async () => {
			const [one = "", _two, three = ""] = await used(3, 5, 4);
			assert.deepEqual(await pruneCache(cache, 25), { blobs: 1, bytes: 10, kept: 20 });
			assert.deepEqual(await left(), [one, three].sort());
		});

		it("keeps what was used within the hour, unless it is told not to", async () => {
			const [, two = ""] = await used(2, 0);
			assert.deepEqual(await pruneCache(cache, 0), { blobs: 1, bytes: 10, kept: 10 });
			assert.deepEqual(await left(), [two]);
			await pruneCache(cache, 0, { evenInUse: true });
			assert.deepEqual(await left(), []);
		});

		it("counts reading a blob as its use, but not its check", async () => {
			const [one = "sha256:", two = "sha256:"] = await used(3, 3);
			await cache.use(one as `sha256:${string}`, signal);
			await cache.verify(two as `sha256:${string}`, signal);
			await pruneCache(cache, 0);
			assert.deepEqual(await left(), [one]);
		});

		it("loses what interrupted transfers left a day ago", async () => {
			await cache.store(blob("x"));
			const old = join(folder, "incoming/old");
			writeFileSync(old, "");
			writeFileSync(join(folder, "incoming/new"), "");
			const yesterday = new Date(Date.now() - 25 * HOUR);
			utimesSync(old, yesterday, yesterday);
			await pruneCache(cache, 1000);
			assert.deepEqual(incoming(), ["new"]);
		});
	});
});
