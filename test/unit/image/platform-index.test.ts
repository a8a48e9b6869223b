import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { BlobCache } from "../../../src/image/cache/blob-cache.js";
import { type CachedImage, readCachedImage } from "../../../src/image/cache/cached-image.js";
import { digestOf } from "../../../src/image/manifest/digest.js";
import type { Descriptor } from "../../../src/image/manifest/image-manifest.js";
import { makePlatformIndex } from "../../../src/image/platform-index.js";

const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const OCI = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

describe("an index of the images of several platforms", () => {
	let folder: string;
	let cache: BlobCache;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "rbuild-index-"));
		cache = new BlobCache(folder);
	});
	afterEach(() => rmSync(folder, { recursive: true }));

	async function store(mediaType: string, value: unknown): Promise<Descriptor> {
		const content = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
		return { mediaType, digest: await cache.store(content), size: content.length };
	}

	async function manifest(architecture: string, mediaType: string): Promise<Descriptor> {
		const layer = await store(LAYER, `layer of ${architecture}`);
		const rootfs = { diff_ids: [layer.digest] };
		const config = await store(CONFIG, { os: "linux", architecture, rootfs });
		return store(mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
	}

	async function cached(root: Descriptor): Promise<CachedImage> {
		return (await readCachedImage(cache, root)) ?? assert.fail("it is not in the cache");
	}

	async function image(platform: string, root: Descriptor, annotations = {}) {
		return { platform, image: await cached(root), annotations };
	}

	async function content(root: Descriptor) {
		return JSON.parse((await cache.content(root.digest))?.toString("utf8") ?? "");
	}

	it("has the platform of each, in OCI's media types, and the same bytes each time", async () => {
		const images = [
			await image("linux/amd64", await manifest("amd64", DOCKER)),
			await image("linux/arm/v7", await manifest("arm", OCI), { a: "1" }),
		];
		const { root, manifests } = await makePlatformIndex(cache, images, {});
		const index = await content(root);
		assert.deepEqual(Object.keys(index), ["schemaVersion", "mediaType", "manifests"]);
		assert.equal(index.mediaType, INDEX);
		assert.deepEqual(index.manifests, manifests);
		assert.deepEqual(
			manifests.map(({ mediaType, platform, annotations }) => ({
				...{ mediaType, platform, annotations },
			})),
			[
				{
					mediaType: OCI,
					platform: { architecture: "amd64", os: "linux" },
					annotations: undefined,
				},
				{
					mediaType: OCI,
					platform: { architecture: "arm", os: "linux", variant: "v7" },
					annotations: { a: "1" },
				},
			],
		);
		const again = await makePlatformIndex(cache, images, {});
		assert.deepEqual(again.root, root);
		assert.equal((await cached(root)).manifests.size, 3);
	});

	it("takes attestations over with what they say of themselves", async () => {
		const own = {
			...(await manifest("amd64", OCI)),
			platform: { architecture: "amd64", os: "linux" },
			annotations: { own: "1" },
		};
		const statement = await store("application/vnd.in-toto+json", "{}");
		const attestation = {
			...(await store(OCI, { config: await store(CONFIG, {}), layers: [statement] })),
			platform: { architecture: "unknown", os: "unknown" },
			annotations: { "vnd.docker.reference.digest": own.digest },
		};
		const whole = await store(INDEX, { manifests: [own, attestation] });
		const images = [
			await image("linux/amd64", whole, { more: "2" }),
			await image("linux/arm64", await manifest("arm64", OCI)),
		];
		const { root } = await makePlatformIndex(cache, images, { index: "3" });
		const index = await content(root);
		assert.deepEqual(index.annotations, { index: "3" });
		assert.deepEqual(
			index.manifests.map(({ digest }: Descriptor) => digest),
			[own.digest, images[1]?.image.root.digest, attestation.digest],
		);
		assert.deepEqual(index.manifests[0].annotations, { own: "1", more: "2" });
		assert.deepEqual(index.manifests[2], attestation);
	});

	it("is not made of an image that is one for another platform", async () => {
		const wrong = await image("linux/arm64", await manifest("amd64", OCI));
		await assert.rejects(makePlatformIndex(cache, [wrong], {}), {
			name: "DeliveryError",
			message: "the image that was built for linux/arm64 is one for linux/amd64",
		});
	});

	it("is named by the digest of its content", async () => {
		const images = [await image("linux/amd64", await manifest("amd64", OCI))];
		const { root } = await makePlatformIndex(cache, images, {});
		const bytes = (await cache.content(root.digest)) ?? assert.fail("it is not there");
		assert.equal(root.digest, digestOf(bytes));
		assert.equal(root.size, bytes.length);
	});
});
