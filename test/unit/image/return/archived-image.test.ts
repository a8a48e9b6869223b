import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { BlobCache } from "../../../../src/image/cache/blob-cache.js";
import { readCachedImage } from "../../../../src/image/cache/cached-image.js";
import { storeArchive } from "../../../../src/image/return/archived-image.js";

const { signal } = new AbortController();
const hex = (content: string) => createHash("sha256").update(content).digest("hex");

describe("an image that came as docker's archive", () => {
	let directory: string;
	before(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-archived-"));
	});
	after(() => rmSync(directory, { recursive: true }));

	const freshCache = () => new BlobCache(mkdtempSync(join(directory, "cache-")));

	/** @param entries contents, or what a symlink leads to */
	async function tarOf(entries: Readonly<Record<string, string | { readonly link: string }>>) {
		const tar = pack();
		for (const [name, entry] of Object.entries(entries)) {
			if (typeof entry === "string") tar.entry({ name }, entry);
			else tar.entry({ name, type: "symlink", linkname: entry.link });
		}
		tar.finalize();
		return Readable.from([await buffer(tar as unknown as Readable)]);
	}

	const config = (...layers: string[]) =>
		JSON.stringify({ rootfs: { diff_ids: layers.map((layer) => `sha256:${hex(layer)}`) } });

	const list = (Config: string, ...Layers: string[]) => JSON.stringify([{ Config, Layers }]);

	async function store(cache: BlobCache, entries: Parameters<typeof tarOf>[0]) {
		return storeArchive(await tarOf(entries), cache, signal);
	}

	const two = config("one", "two", "one");
	const old = {
		"a/VERSION": "1.0",
		"a/layer.tar": "one",
		"b/layer.tar": "two",
		"c/layer.tar": { link: "../a/layer.tar" },
		[`${hex(two)}.json`]: two,
		"manifest.json": list(`${hex(two)}.json`, "a/layer.tar", "b/layer.tar", "c/layer.tar"),
	};

	it("is in the cache as a registry has it, with compressed layers", async () => {
		const cache = freshCache();
		const root = await store(cache, old);
		const image = (await readCachedImage(cache, root)) ?? assert.fail();
		assert.equal(image.config.digest, `sha256:${hex(two)}`);
		const layers = await Promise.all(image.layers.map(({ digest }) => cache.content(digest)));
		assert.deepEqual(
			layers.map((layer) => gunzipSync(layer ?? "").toString()),
			["one", "two", "one"],
		);
		assert.match(root.mediaType, /^application\/vnd\.docker\.distribution\.manifest\.v2\+json$/);
	});

	it("has the same manifest each time, and from the archives of newer daemons", async () => {
		const blob = (content: string) => `blobs/sha256/${hex(content)}`;
		const layers = ["one", "two", "one"].map(blob);
		const newer = {
			[blob("one")]: "one",
			[blob("two")]: "two",
			[blob(two)]: two,
			"index.json": "{}",
			"manifest.json": list(blob(two), ...layers),
		};
		const roots = [await store(freshCache(), old), await store(freshCache(), newer)];
		assert.deepEqual(roots[0], roots[1]);
	});

	it("is refused when it is not what its configuration says, or has none", async () => {
		await assert.rejects(store(freshCache(), { ...old, "b/layer.tar": "three" }), {
			name: "DeliveryError",
			message: `the daemon's image archive has other layers than configuration sha256:${hex(two)} says`,
		});
		const other = { ...old, [`${hex(two)}.json`]: config("one") };
		await assert.rejects(store(freshCache(), other), {
			message: `the daemon sent a configuration as ${hex(two)}.json that is sha256:${hex(config("one"))}`,
		});
		await assert.rejects(store(freshCache(), { "a/layer.tar": "one" }), {
			message: "the daemon's image archive has no image in it",
		});
	});

	it("leaves nothing half done in the cache when it breaks off", async () => {
		const cache = freshCache();
		const archive = new Readable({ read() {} });
		const whole = await buffer(await tarOf({ "a/layer.tar": "x".repeat(100_000) }));
		archive.push(whole.subarray(0, 50_000));
		const stored = storeArchive(archive, cache, signal);
		archive.destroy(new Error("lost the connection"));
		await assert.rejects(stored, { message: "lost the connection" });
		assert.deepEqual(readdirSync(join(cache.folder), { recursive: true }).filter(isFile), []);
	});

	const isFile = (name: string | Buffer) => !String(name).endsWith("incoming");
});
