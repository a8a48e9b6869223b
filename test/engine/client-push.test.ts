import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Environment } from "../../src/environment.js";
import { BlobCache } from "../../src/image/cache/blob-cache.js";
import { pushFromCache } from "../../src/image/registry/client-push.js";
import type { PushNews } from "../../src/image/registry/push-tally.js";
import { registryCredentials } from "../../src/image/registry-credentials.js";
import { cacheImage, cacheIndex } from "../support/cached-images.js";
import { type Registry, startRegistry, whyNoRegistry } from "../support/registry.js";

const run = { signal: new AbortController().signal, emit: () => {} };
const LARGE = 5_000_000;

suite("a push from the cache to Debian's registry", { skip: whyNoRegistry() ?? false }, () => {
	let directory: string;
	let cache: BlobCache;
	let registry: Registry;
	before(async () => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-client-push-"));
		registry = await startRegistry();
		cache = new BlobCache(join(directory, "cache"));
	});
	after(async () => {
		await registry.stop();
		rmSync(directory, { recursive: true });
	});

	function environment(config: unknown = {}): Environment {
		const home = mkdtempSync(join(directory, "home-"));
		mkdirSync(join(home, ".docker"));
		writeFileSync(join(home, ".docker/config.json"), JSON.stringify(config));
		return {
			variables: {},
			...{ homeDirectory: home, workingDirectory: home },
			...{ userName: "me", platform: process.platform },
		};
	}

	async function push(
		tag: string,
		root: Awaited<ReturnType<typeof cacheImage>>,
		user = environment(),
	) {
		const news: PushNews[] = [];
		const credentials = registryCredentials(user, run);
		const onProgress = (each: PushNews) => void news.push(each);
		const pushed = await pushFromCache(
			{ cache, root, tag, credentials, environment: user, onProgress },
			run,
		);
		return { ...pushed, details: news.flatMap(({ detail }) => detail ?? []).toSorted() };
	}

	const inspect = (tag: string) =>
		execFileSync("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${tag}`]);

	test("brings the manifest as it is, and what is there already is not sent again", async () => {
		const base = randomBytes(LARGE);
		const first = await cacheImage(cache, [base, Buffer.from("top")]);
		const tag = `${registry.host}/team/app:1`;
		const pushed = await push(tag, first);
		assert.equal(pushed.digest, first.digest);
		assert.ok(pushed.bytes > LARGE, `${pushed.bytes} bytes`);
		assert.deepEqual(inspect(tag), await cache.content(first.digest));

		const second = await push(
			`${registry.host}/team/app:2`,
			await cacheImage(cache, [base, Buffer.from("new")]),
		);
		assert.ok(second.bytes < 1000, `${second.bytes} bytes`);
		assert.ok(second.reusedBytes > LARGE);
		assert.deepEqual(second.details, ["already there"]);
		const third = await push(`${registry.host}/team/app:3`, first);
		assert.equal(third.bytes, 0);
	});

	test("takes layers over from where they were pushed to before", async () => {
		const image = await cacheImage(cache, [randomBytes(LARGE)]);
		await push(`${registry.host}/team/base:1`, image);
		const { bytes, details } = await push(`${registry.host}/other/app:1`, image);
		assert.equal(bytes, 0);
		assert.deepEqual(details, ["mounted from team/base"]);
		inspect(`${registry.host}/other/app:1`);
	});

	test("brings an index with all of its images", async () => {
		const images = await Promise.all(
			["amd64", "arm64"].map((architecture) =>
				cacheImage(cache, [randomBytes(2000)], { os: "linux", architecture }),
			),
		);
		const index = await cacheIndex(cache, images);
		const tag = `${registry.host}/team/both:1`;
		assert.equal((await push(tag, index)).digest, index.digest);
		assert.deepEqual(inspect(tag), await cache.content(index.digest));
		const copy = ["copy", "--all", "--src-tls-verify=false", `docker://${tag}`];
		execFileSync("skopeo", [...copy, `dir:${mkdtempSync(join(directory, "copy-"))}`], {
			stdio: "pipe",
		});
	});
});
