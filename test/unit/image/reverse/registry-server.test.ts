import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, it } from "node:test";
import { DeliveryError } from "../../../../src/errors.js";
import { BlobCache } from "../../../../src/image/cache/blob-cache.js";
import { cachedBlobs } from "../../../../src/image/cache/cache-pruning.js";
import { type Digest, digestOf } from "../../../../src/image/manifest/digest.js";
import { BlobUploads } from "../../../../src/image/reverse/blob-uploads.js";
import {
	ClaimedTooMuch,
	type ExpectedImage,
	PushContents,
} from "../../../../src/image/reverse/push-contents.js";
import { RegistryServer } from "../../../../src/image/reverse/registry-server.js";
import { listenOnLoopback } from "../../../../src/transport/loopback-port.js";
import type { LoopbackPort } from "../../../../src/transport/transport.js";

const { signal } = new AbortController();
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const REPOSITORY = "rbuild/image";

const diffId = digestOf(Buffer.from("a layer without compression"));
const layer = Buffer.from("a layer");
const config = Buffer.from(JSON.stringify({ rootfs: { type: "layers", diff_ids: [diffId] } }));
const part = (content: Buffer, size = content.length) => ({
	mediaType: "application/octet-stream",
	digest: digestOf(content),
	size,
});
const manifest = Buffer.from(JSON.stringify({ config: part(config), layers: [part(layer)] }));

describe("the registry for one push", () => {
	let folder: string;
	let cache: BlobCache;
	let port: LoopbackPort;
	let registry: RegistryServer;
	let contents: PushContents;
	let uploads: BlobUploads;
	let failure: unknown;

	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "rbuild-registry-"));
		cache = new BlobCache(folder);
		failure = undefined;
	});
	afterEach(async () => {
		await port[Symbol.asyncDispose]();
		registry.close();
		await uploads[Symbol.asyncDispose]();
		rmSync(folder, { recursive: true });
	});

	async function open(expected: Partial<ExpectedImage> = {}): Promise<void> {
		const known = { diffIds: [diffId], config: digestOf(config), size: 1000 };
		const all = { ...known, unwanted: new Set<Digest>(), missing: new Set<Digest>(), ...expected };
		contents = new PushContents(cache, all, signal);
		uploads = new BlobUploads(cache, contents, () => {});
		registry = new RegistryServer({
			repository: REPOSITORY,
			contents,
			uploads,
			onFailure: (error) => {
				failure ??= error;
			},
		});
		port = await listenOnLoopback((stream) => registry.accept(stream));
	}

	interface Asked {
		readonly body?: Buffer;
		readonly type?: string;
		/** "user:password"; absent: the right one. */
		readonly login?: string;
	}

	/** Of a path as it stands, which fetch() would clean up. */
	function ask(method: string, path: string, { body, type, login }: Asked = {}) {
		const auth = login ?? `${registry.auth.username}:${registry.auth.password}`;
		return new Promise<{ status: number; location: string; text: string }>((resolve, reject) => {
			const headers = type === undefined ? {} : { "Content-Type": type };
			const options = { host: "127.0.0.1", port: port.port, method, path, headers, agent: false };
			request({ ...options, ...(auth === "" ? {} : { auth }) }, async (response) => {
				resolve({
					status: response.statusCode ?? 0,
					location: response.headers.location ?? "",
					text: await text(response),
				});
			})
				.once("error", reject)
				.end(body);
		});
	}

	const repository = (path: string) => `/v2/${REPOSITORY}/${path}`;
	async function upload(content: Buffer, digest: string = digestOf(content)) {
		const { location } = await ask("POST", repository("blobs/uploads/"));
		await ask("PATCH", location, { body: content });
		return ask("PUT", `${location}?digest=${encodeURIComponent(digest)}`);
	}
	const putManifest = (content = manifest) =>
		ask("PUT", repository("manifests/latest"), { body: content, type: MANIFEST });
	const blobs = async () => (await cachedBlobs(cache)).map(({ digest }) => digest).sort();

	it("leaves nothing of a blob that is begun while the push ends", async () => {
		await open();
		const begun = uploads.start();
		await uploads[Symbol.asyncDispose]();
		await assert.rejects(begun, DeliveryError);
		assert.deepEqual(readdirSync(join(folder, "incoming")), []);
	});

	it("takes an image, and has it in the cache", async () => {
		await open();
		assert.equal((await ask("GET", "/v2/")).status, 200);
		assert.equal((await upload(layer)).status, 201);
		assert.equal((await upload(config)).status, 201);
		assert.equal((await putManifest()).status, 201);
		assert.equal(contents.pushed?.root.digest, digestOf(manifest));
		assert.deepEqual(await blobs(), [layer, config, manifest].map(digestOf).sort());
		assert.equal(failure, undefined);
	});

	it("says 401, and nothing else, to whoever does not know the login", async () => {
		await open();
		await cache.store(layer);
		const paths = [
			"/",
			"/v2/",
			repository(`blobs/${digestOf(layer)}`),
			repository("blobs/uploads/"),
		];
		for (const path of [...paths, "/v2/other/manifests/latest", "/../../etc/passwd"]) {
			for (const login of ["", "rbuild:", "rbuild:guess", `x:${registry.auth.password}`]) {
				for (const method of ["GET", "POST", "PUT"]) {
					const answer = await ask(method, path, { login, body: layer });
					assert.equal(answer.status, 401);
					assert.doesNotMatch(answer.text, /sha256|rbuild\//);
				}
			}
		}
		assert.equal(contents.received, 0);
	});

	it("tells of blobs that are in the cache, but not of damaged ones", async () => {
		await open();
		const path = repository(`blobs/${digestOf(layer)}`);
		assert.equal((await ask("HEAD", path)).status, 404);
		await cache.store(layer);
		assert.equal((await ask("HEAD", path)).status, 200);
		assert.equal((await ask("GET", path)).status, 405);
	});

	it("refuses a blob with another content, and names its digest", async () => {
		await open();
		assert.equal((await upload(layer, digestOf(config))).status, 400);
		assert.match(String(failure), new RegExp(`DeliveryError: blob ${digestOf(config)} `));
		assert.deepEqual(await blobs(), []);
		assert.deepEqual(readdirSync(join(folder, "incoming")), []);
	});

	it("takes no more than an image of that size can have", async () => {
		await open({ size: 1 });
		const { location } = await ask("POST", repository("blobs/uploads/"));
		const endless = request({
			...{ host: "127.0.0.1", port: port.port, method: "PATCH", path: location },
			auth: `${registry.auth.username}:${registry.auth.password}`,
		});
		endless.on("error", () => {});
		const chunk = Buffer.alloc(1024 * 1024);
		while (failure === undefined) {
			await new Promise((resolve) => endless.write(chunk, resolve));
		}
		endless.destroy();
		assert.match(String(failure), /pushes more than the image has/);
		assert.deepEqual(readdirSync(join(folder, "incoming")), []);
		assert.deepEqual(await blobs(), []);
	});

	it("refuses a manifest that names a blob which never came, and names that", async () => {
		await open();
		await upload(config);
		assert.equal((await putManifest()).status, 400);
		assert.match(String(failure), new RegExp(`its blob ${digestOf(layer)} was never sent`));
		assert.equal(contents.pushed, undefined);
	});

	it("refuses a manifest that is wrong about a size", async () => {
		await open();
		await upload(config);
		await upload(layer);
		const wrong = { config: part(config), layers: [part(layer, 3)] };
		await putManifest(Buffer.from(JSON.stringify(wrong)));
		assert.match(String(failure), new RegExp(`blob ${digestOf(layer)} has 7 bytes, not 3`));
	});

	it("refuses another image than the one that it is there for", async () => {
		await open({ diffIds: [digestOf(Buffer.from("another layer"))] });
		await upload(config);
		await upload(layer);
		assert.equal((await putManifest()).status, 400);
		assert.match(String(failure), /pushed another image than it was asked for/);
	});

	for (const [what, content] of [
		["no JSON", "{"],
		["no manifest", "[]"],
		["no digest", JSON.stringify({ config: { digest: "../../x", size: 1 }, layers: [] })],
		["no size", JSON.stringify({ config: { ...part(config), size: -1 }, layers: [] })],
		["no list of layers", JSON.stringify({ config: part(config), layers: {} })],
	] as const) {
		it(`refuses as a manifest what has ${what}`, async () => {
			await open();
			assert.equal((await putManifest(Buffer.from(content))).status, 400);
			assert.match(String(failure), /^DeliveryError: /);
		});
	}

	it("knows one repository, and no way out of it", async () => {
		await open();
		for (const path of [
			"/v2/other/blobs/uploads/",
			`/v2/${REPOSITORY}/../../blobs/uploads/`,
			"/v2/rbuild%2fimage/blobs/uploads/",
			"/v2/../etc/passwd",
			repository("blobs/uploads/../../x"),
			repository("tags/list"),
			"/v2/_catalog",
		]) {
			assert.equal((await ask("POST", path)).status, 404, path);
		}
		const traversal = repository("blobs/uploads/?digest=sha256:../../../../tmp/x");
		assert.equal((await ask("POST", traversal)).status, 400);
		assert.equal((await ask("PUT", repository("blobs/uploads/abc?digest=x"))).status, 400);
		assert.deepEqual(await blobs(), []);
	});

	it("claims to have what is unwanted, and asks for what is not", async () => {
		await open({ unwanted: new Set([diffId]) });
		assert.equal((await ask("HEAD", repository(`blobs/${digestOf(layer)}`))).status, 200);
		assert.equal((await ask("HEAD", repository(`blobs/${digestOf(config)}`))).status, 404);
		await upload(config);
		assert.equal((await putManifest()).status, 201);
		assert.deepEqual([...(contents.pushed?.claimed ?? [])], [digestOf(layer)]);
	});

	it("says which of its claims have to be taken back", async () => {
		await open({ unwanted: new Set([digestOf(Buffer.from("another layer"))]) });
		await ask("HEAD", repository(`blobs/${digestOf(layer)}`));
		await upload(config);
		assert.equal((await putManifest()).status, 400);
		assert.ok(failure instanceof ClaimedTooMuch);
		assert.deepEqual([...failure.digests], [digestOf(layer)]);
	});

	it("hangs up when it is closed", async () => {
		await open();
		registry.close();
		await assert.rejects(ask("GET", "/v2/"), { code: "ECONNRESET" });
	});
});
