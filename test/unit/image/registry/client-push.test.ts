import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Environment } from "../../../../src/environment.js";
import { BlobCache } from "../../../../src/image/cache/blob-cache.js";
import type { Descriptor } from "../../../../src/image/manifest/image-manifest.js";
import { pushFromCache } from "../../../../src/image/registry/client-push.js";
import type { PushNews } from "../../../../src/image/registry/push-tally.js";
import { cacheImage, cacheIndex } from "../../../support/cached-images.js";
import { type FakeRegistry, startFakeRegistry } from "./fake-registry.js";

const LARGE = 2_500_000;

describe("pushing an image from the cache", () => {
	let directory: string;
	let cache: BlobCache;
	before(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-client-push-"));
	});
	after(() => rmSync(directory, { recursive: true }));

	async function push(registry: FakeRegistry, root: Descriptor, signal?: AbortSignal) {
		const news: PushNews[] = [];
		const environment = { variables: {}, homeDirectory: directory, platform: "linux" };
		const pushed = await pushFromCache(
			{
				...{ cache, root, tag: `${registry.host}/team/app:1` },
				credentials: { credentialsFor: async () => undefined },
				environment: environment as unknown as Environment,
				onProgress: (each) => void news.push(each),
			},
			{ signal: signal ?? new AbortController().signal, emit: () => {} },
		);
		return { ...pushed, news };
	}

	const freshCache = () => {
		cache = new BlobCache(mkdtempSync(join(directory, "cache-")));
	};

	const puts = ({ log }: FakeRegistry) =>
		log.filter((line) => line.startsWith("PUT")).map((line) => line.replace("PUT /v2/", ""));

	it("puts blobs first, then manifests, and in the end what the tag stands for", async () => {
		freshCache();
		await using registry = await startFakeRegistry();
		const images = await Promise.all(
			["amd64", "arm64"].map((architecture) =>
				cacheImage(cache, [randomBytes(1000)], { os: "linux", architecture }),
			),
		);
		const index = await cacheIndex(cache, images);
		assert.equal((await push(registry, index)).digest, index.digest);
		assert.deepEqual(puts(registry), [
			...Array.from({ length: 4 }, () => "team/app/blobs/uploads/ID"),
			...images.map(({ digest }) => `team/app/manifests/${digest}`),
			"team/app/manifests/1",
		]);
		assert.deepEqual(registry.tags.get("team/app:1"), await cache.content(index.digest));
	});

	it("puts no manifest when a blob does not get there, and ends what else is under way", async () => {
		freshCache();
		await using registry = await startFakeRegistry(({ method, before }) =>
			method === "POST" && before === 1 ? { status: 403 } : undefined,
		);
		const image = await cacheImage(
			cache,
			Array.from({ length: 8 }, () => randomBytes(1000)),
		);
		await assert.rejects(push(registry, image), {
			name: "DeliveryError",
			message: `cannot push ${registry.host}/team/app:1 to ${registry.host}: it answers 403 Forbidden`,
			hint: new RegExp(
				`^there is no login for ${registry.host} on this machine: run "docker login`,
			),
		});
		assert.deepEqual(registry.tags.size, 0);
		assert.ok(registry.blobs.size < 8);
	});

	it("tells the bytes that go, and of each layer what becomes of it", async () => {
		freshCache();
		await using registry = await startFakeRegistry();
		const base = randomBytes(LARGE);
		await push(registry, await cacheImage(cache, [base]));
		const image = await cacheImage(cache, [base, randomBytes(LARGE)]);
		const { bytes, reusedBytes, news } = await push(registry, image);
		assert.ok(bytes > LARGE && bytes < LARGE + 10_000);
		assert.ok(reusedBytes > LARGE && reusedBytes < LARGE + 10_000);
		const states = new Set(
			news.flatMap(({ layer }) => (layer ? `${layer.id} ${layer.state}` : [])),
		);
		const ids = [...new Set([...states].map((state) => state.split(" ")[0] ?? ""))];
		assert.equal(ids.length, 2);
		assert.deepEqual([...states].map((state) => state.slice(13)).toSorted(), [
			"done",
			"moving",
			"there",
		]);
		const last = news.at(-1);
		assert.deepEqual([last?.bytes, last?.totalBytes], [bytes, bytes]);
	});

	it("sends nothing of an image that is there already, and gives it the tag", async () => {
		freshCache();
		const image = await cacheImage(cache, [randomBytes(1000)]);
		const content = (await cache.content(image.digest)) ?? assert.fail();
		await using there = await startFakeRegistry(({ method, path }) =>
			method === "HEAD" && path.endsWith(image.digest) ? { status: 200 } : undefined,
		);
		assert.equal((await push(there, image)).bytes, 0);
		assert.deepEqual(puts(there), ["team/app/manifests/1"]);
		assert.deepEqual(there.tags.get("team/app:1"), content);
	});

	it("says what is not in the cache any more", async () => {
		freshCache();
		await using registry = await startFakeRegistry();
		const image = await cacheImage(cache, [randomBytes(1000)]);
		await cache.remove(image.digest);
		await assert.rejects(push(registry, image), {
			name: "DeliveryError",
			message: `${image.digest} is not in the image cache any more`,
		});
	});

	it("does not keep a manifest of which the registry made another one", async () => {
		freshCache();
		const other = `sha256:${"0".repeat(64)}`;
		await using registry = await startFakeRegistry(({ method, path }) =>
			method === "PUT" && path.includes("/manifests/")
				? { status: 201, headers: { "Docker-Content-Digest": other } }
				: undefined,
		);
		const image = await cacheImage(cache, [randomBytes(1000)]);
		await assert.rejects(push(registry, image), {
			message: new RegExp(`: it made ${other} of manifest ${image.digest}$`),
		});
	});

	it("ends when it is interrupted", async () => {
		freshCache();
		const interrupt = new AbortController();
		await using registry = await startFakeRegistry(({ method }) => {
			if (method === "POST") interrupt.abort();
			return undefined;
		});
		const image = await cacheImage(cache, [randomBytes(LARGE)]);
		await assert.rejects(push(registry, image, interrupt.signal), { name: "InterruptedError" });
		assert.equal(registry.tags.size, 0);
	});
});
