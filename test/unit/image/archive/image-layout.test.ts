import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, it } from "node:test";
import { imageLayout } from "../../../../src/image/archive/image-layout.js";
import { LayoutFolder } from "../../../../src/image/archive/layout-folder.js";
import { type TarEntry, tarEntry, tarOf } from "../../../../src/image/archive/tar-entries.js";
import { BlobCache } from "../../../../src/image/cache/blob-cache.js";
import { type CachedImage, readCachedImage } from "../../../../src/image/cache/cached-image.js";
import { digestOf } from "../../../../src/image/manifest/digest.js";
import { noSymlinks, without } from "../../../support/this-system.js";

const { signal } = new AbortController();
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const layers = ["below", "top"].map((text) => Buffer.from(text));
const config = Buffer.from(JSON.stringify({ rootfs: { diff_ids: layers.map(digestOf) } }));

describe("an image as the files of a layout", () => {
	let folder: string;
	let cache: BlobCache;
	let image: CachedImage;
	beforeEach(async () => {
		folder = mkdtempSync(join(tmpdir(), "rbuild-layout-"));
		cache = new BlobCache(join(folder, "cache"));
		const part = (mediaType: string) => async (content: Buffer) => ({
			...{ mediaType, digest: await cache.store(content), size: content.length },
		});
		const layerType = "application/vnd.docker.image.rootfs.diff.tar.gzip";
		const content = JSON.stringify({
			schemaVersion: 2,
			mediaType: DOCKER,
			config: await part("application/vnd.docker.container.image.v1+json")(config),
			layers: await Promise.all(layers.map(part(layerType))),
		});
		const root = await part(DOCKER)(Buffer.from(content));
		image = (await readCachedImage(cache, root)) ?? assert.fail("it is not in the cache");
	});
	afterEach(() => rmSync(folder, { recursive: true }));

	const tar = async (entries: readonly TarEntry[]) => buffer(Readable.from(tarOf(entries)));
	const content = async (entries: readonly TarEntry[], name: string) => {
		const entry = entries.find((entry) => entry.name === name) ?? assert.fail(`no ${name}`);
		return JSON.parse((await buffer(Readable.from(entry.open()))).toString("utf8"));
	};
	const blob = (bytes: Buffer) => `blobs/sha256/${digestOf(bytes).slice(7)}`;

	it("is the same to the last byte each time, and a tar that tar reads", {
		skip: without("tar"),
	}, async () => {
		const make = async () => tar(await imageLayout(cache, image, { tags: ["app"], docker: image }));
		const [one, other] = [await make(), await make()];
		assert.ok(one.equals(other));
		const out = join(folder, "out");
		mkdirSync(out);
		execFileSync("tar", ["-x", "-C", out], { input: one });
		assert.deepEqual(readFileSync(join(out, blob(config))), config);
		assert.deepEqual(readdirSync(out).sort(), [
			"blobs",
			"index.json",
			"manifest.json",
			"oci-layout",
		]);
	});

	it("tells docker of every tag and of the layers in their order", async () => {
		const tags = ["app", "localhost:5000/team/app:2"];
		const entries = await imageLayout(cache, image, { tags, docker: image });
		assert.deepEqual(await content(entries, "manifest.json"), [
			{
				Config: blob(config),
				RepoTags: ["app:latest", "localhost:5000/team/app:2"],
				Layers: layers.map(blob),
			},
		]);
	});

	it("has OCI's media types, and the names as annotations", async () => {
		const entries = await imageLayout(cache, image, { tags: ["app"] });
		assert.ok(entries.every(({ name }) => name !== "manifest.json"));
		const { manifests } = await content(entries, "index.json");
		assert.deepEqual(manifests[0].annotations, {
			"io.containerd.image.name": "docker.io/library/app:latest",
			"org.opencontainers.image.ref.name": "latest",
		});
		const manifest = await content(entries, `blobs/sha256/${manifests[0].digest.slice(7)}`);
		assert.equal(manifest.config.mediaType, "application/vnd.oci.image.config.v1+json");
		assert.equal(manifest.config.digest, digestOf(config));
		assert.equal(manifest.layers[0].mediaType, "application/vnd.oci.image.layer.v1.tar+gzip");
	});

	it("may leave out layers, and still names them", async () => {
		const [below = Buffer.alloc(0)] = layers;
		const options = { tags: [], docker: image, without: new Set([digestOf(below)]) };
		const entries = await imageLayout(cache, image, options);
		assert.ok(entries.every(({ name }) => name !== blob(below)));
		assert.deepEqual((await content(entries, "manifest.json"))[0].Layers, layers.map(blob));
	});

	it("never is a tar with less than was announced", async () => {
		const short = { ...tarEntry("x", Buffer.from("abc")), size: 4 };
		await assert.rejects(tar([short]), /x has 3 bytes, not 4/);
	});

	describe("in a folder", () => {
		const write = async (path: string, entries: readonly TarEntry[]) => {
			await using layout = await LayoutFolder.open(path);
			await layout.write(entries, signal);
			await layout.commit();
		};

		it("appears as a whole, and takes the place of an earlier one", async () => {
			const path = join(folder, "new/layout");
			await write(path, [
				tarEntry("oci-layout", Buffer.from("1")),
				tarEntry("old", Buffer.from("1")),
			]);
			await write(path, await imageLayout(cache, image, { tags: [] }));
			assert.deepEqual(readdirSync(path).sort(), ["blobs", "index.json", "oci-layout"]);
			assert.deepEqual(readdirSync(join(folder, "new")), ["layout"]);
		});

		it("is one of those that are saved there at the same time, and all of it", async () => {
			const path = join(folder, "layout");
			for (const round of [0, 1, 2, 3]) {
				const saved = ["a", "b", "c"].map((name) => [
					tarEntry("oci-layout", Buffer.from("1")),
					tarEntry("index.json", Buffer.from(name)),
					tarEntry("blobs/shared", Buffer.from("1")),
					tarEntry(`blobs/${name}${round}`, Buffer.from("1")),
				]);
				await Promise.all(saved.map((entries) => write(path, entries)));
				const name = readFileSync(join(path, "index.json"), "utf8");
				const blobs = readdirSync(join(path, "blobs"));
				assert.ok(blobs.includes(`${name}${round}`) && blobs.includes("shared"), String(blobs));
				const left = blobs.filter((blob) => blob !== "shared" && !blob.endsWith(`${round}`));
				assert.deepEqual(left, []);
				assert.deepEqual(readdirSync(folder).sort(), ["cache", "layout"]);
			}
		});

		it("is put into a folder that is there, which may be a mount point or behind a link", {
			skip: noSymlinks,
		}, async () => {
			const path = join(folder, "layout");
			mkdirSync(path);
			symlinkSync(path, join(folder, "link"));
			const { ino } = statSync(path);
			await write(join(folder, "link"), [tarEntry("oci-layout", Buffer.from("1"))]);
			assert.equal(statSync(path).ino, ino);
			assert.deepEqual(readdirSync(path), ["oci-layout"]);
			assert.ok(lstatSync(join(folder, "link")).isSymbolicLink());
		});

		it("takes the place of nothing else", async () => {
			const path = join(folder, "mine");
			mkdirSync(path);
			writeFileSync(join(path, "notes.txt"), "");
			await assert.rejects(write(path, []), {
				name: "DeliveryError",
				message: `cannot save to ${path}: it is a folder with other things`,
			});
			assert.deepEqual(readdirSync(path), ["notes.txt"]);
		});

		it("is not there when a blob could not be read", async () => {
			const path = join(folder, "layout");
			const entries = await imageLayout(cache, image, { tags: [] });
			await cache.remove(digestOf(config));
			await assert.rejects(write(path, entries), { name: "DeliveryError" });
			assert.ok(!existsSync(path));
			assert.deepEqual(readdirSync(folder), ["cache"]);
		});
	});
});
