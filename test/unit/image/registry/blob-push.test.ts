import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { RegistryAuth } from "../../../../src/engine/registry-auth.js";
import type { Environment } from "../../../../src/environment.js";
import { BlobCache } from "../../../../src/image/cache/blob-cache.js";
import { pushBlob } from "../../../../src/image/registry/blob-push.js";
import { RegistryClient } from "../../../../src/image/registry/registry-client.js";
import { registryWeb } from "../../../../src/image/web/registry-web.js";
import type { WebClient } from "../../../../src/image/web/web-client.js";
import {
	type FakeRegistry,
	type Fault,
	type SeenRequest,
	startFakeRegistry,
} from "./fake-registry.js";

const { signal } = new AbortController();
const LARGE = 3_000_000;
const LOGIN: RegistryAuth = { username: "me", password: "s3cret" };
const BASIC = { status: 401, headers: { "WWW-Authenticate": 'Basic realm="here"' } };

interface PushOptions {
	readonly from?: string;
	readonly login?: RegistryAuth;
	/** What lies between here and the registry. */
	readonly through?: (web: WebClient) => WebClient;
}

/** Tells of a connection that is cut as if it had stalled, which would take a minute. */
const stalling =
	(web: WebClient): WebClient =>
	(url, request) =>
		web(url, request).catch((error: unknown) => {
			// The registry has no TLS.
			if (url.protocol === "https:") throw error;
			throw Object.assign(new Error("nothing came"), { code: "UND_ERR_BODY_TIMEOUT" });
		});

describe("pushing a blob", () => {
	let directory: string;
	let cache: BlobCache;
	before(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-blob-push-"));
		cache = new BlobCache(directory);
	});
	after(() => rmSync(directory, { recursive: true }));

	async function blobOf(content: Buffer) {
		const digest = await cache.store(content);
		return { mediaType: "layer", digest, size: content.length };
	}

	/** Pushes to team/app, and tells what was waited and sent. */
	async function push(
		registry: FakeRegistry,
		content: Buffer,
		{ from, login, through = (web) => web }: PushOptions = {},
	) {
		const waits: number[] = [];
		let sent = 0;
		const environment = { variables: {}, homeDirectory: directory, platform: "linux" };
		const client = await RegistryClient.open(
			registry.host,
			login,
			through(registryWeb(environment as unknown as Environment)),
			signal,
			async (ms) => void waits.push(ms),
		);
		const blob = await blobOf(content);
		const place = { client, repository: "team/app", cache, signal };
		const arrival = await pushBlob(blob, place, from, (bytes) => {
			sent += bytes;
		});
		const there = registry.blobs.get(`team/app/${blob.digest}`);
		return { ...arrival, waits, sent, isThere: there?.equals(content) ?? false };
	}

	const on =
		(method: string, fault: Fault, times = 1) =>
		(request: SeenRequest) =>
			request.method === method && request.path.includes("/blobs/") && request.before < times
				? fault
				: undefined;

	const UPLOADS = "/v2/team/app/blobs/uploads/";

	it("sends nothing of what is there, and a small one with one request", async () => {
		await using registry = await startFakeRegistry();
		const [small, known] = [randomBytes(1000), randomBytes(LARGE)];
		registry.add("team/app", known);
		assert.deepEqual((await push(registry, known)).way, "there");
		const { isThere, sent } = await push(registry, small);
		assert.deepEqual([isThere, sent], [true, 1000]);
		assert.deepEqual(
			registry.log.filter((line) => line.includes("uploads")),
			[`POST ${UPLOADS}`, `PUT ${UPLOADS}ID`],
		);
	});

	it("goes on where the registry had come to when the connection broke", async () => {
		const half = 1_500_000;
		await using registry = await startFakeRegistry(on("PATCH", { cutAfter: half }));
		const { isThere, waits } = await push(registry, randomBytes(LARGE));
		assert.equal(isThere, true);
		assert.deepEqual(waits, [1000]);
		assert.deepEqual(
			registry.log.filter((line) => line.includes("uploads")),
			[
				...[`POST ${UPLOADS}`, `PATCH ${UPLOADS}ID`, `GET ${UPLOADS}ID`],
				...[`PATCH ${UPLOADS}ID ${half}-${LARGE - 1}`, `PUT ${UPLOADS}ID`],
			],
		);
	});

	it("goes on in the same way when the connection stalled, and says so in the end", async () => {
		await using registry = await startFakeRegistry(on("PATCH", { cutAfter: 1_500_000 }));
		const { isThere } = await push(registry, randomBytes(LARGE), { through: stalling });
		assert.equal(isThere, true);
		assert.equal(registry.log.at(-2), `PATCH ${UPLOADS}ID 1500000-${LARGE - 1}`);

		await using dead = await startFakeRegistry(on("PATCH", { cutAfter: 0 }, 9));
		await assert.rejects(push(dead, randomBytes(LARGE), { through: stalling }), {
			name: "RegistryFailure",
			message: "the connection stalled",
			hint: "run rbuild again: what was pushed is not pushed again",
		});
	});

	it("gives the registry more time for its answer, the more it has to look at", async () => {
		const patience: string[] = [];
		const noting =
			(web: WebClient): WebClient =>
			(url, request) => {
				patience.push(`${request.method} ${request.patience ?? "a minute"}`);
				return web(url, request);
			};
		await using registry = await startFakeRegistry();
		await push(registry, randomBytes(LARGE), { through: noting });
		assert.deepEqual(patience.slice(-4), [
			...["HEAD a minute", "POST a minute", "PATCH 120300", "PUT 120300"],
		]);
	});

	it("begins again with a registry that knows nothing of it any more", async () => {
		const gone = on("GET", { status: 404 });
		const cut = on("PATCH", { cutAfter: 1000 });
		await using registry = await startFakeRegistry((request) => gone(request) ?? cut(request));
		assert.equal((await push(registry, randomBytes(LARGE))).isThere, true);
		assert.equal(registry.log.filter((line) => line === `POST ${UPLOADS}`).length, 2);
	});

	it("gives up when the connection breaks twice at the same place", async () => {
		await using registry = await startFakeRegistry(on("PATCH", { cutAfter: 0 }, 9));
		await assert.rejects(push(registry, randomBytes(LARGE)), {
			name: "RegistryFailure",
			message: "the connection broke",
			hint: /what was pushed is not pushed again/,
		});
		assert.equal(registry.log.filter((line) => line.startsWith("PATCH")).length, 2);
	});

	it("is done when only the last answer was lost", async () => {
		await using registry = await startFakeRegistry(on("PUT", { cutAnswer: true }));
		assert.equal((await push(registry, randomBytes(LARGE))).isThere, true);
		assert.equal(registry.log.filter((line) => line.startsWith("PATCH")).length, 1);
	});

	it("takes it over from another repository, or sends it where that is refused", async () => {
		const content = randomBytes(1000);
		const isMount = ({ query }: SeenRequest) => query.has("mount");
		await using giving = await startFakeRegistry();
		giving.add("team/base", content);
		assert.deepEqual((await push(giving, content, { from: "team/base" })).way, "mounted");

		await using refusing = await startFakeRegistry((request) =>
			isMount(request) ? { status: 403 } : undefined,
		);
		const refused = await push(refusing, content, { from: "team/base" });
		assert.deepEqual([refused.way, refused.isThere], ["sent", true]);

		await using without = await startFakeRegistry();
		const sent = await push(without, content, { from: "team/base" });
		assert.deepEqual([sent.way, sent.isThere], ["sent", true]);
		const begun = without.log.filter((line) => line.startsWith("POST"));
		assert.equal(begun.length, 1, "the upload that was begun instead is used");
	});

	it("waits as long as a busy registry wants it to, and no longer than a minute", async () => {
		const busy = { status: 429, headers: { "Retry-After": "7" } };
		await using registry = await startFakeRegistry((request) =>
			request.before === 0 && request.method === "POST" ? busy : on("PATCH", busy)(request),
		);
		const { waits, isThere } = await push(registry, randomBytes(LARGE));
		assert.deepEqual([waits, isThere], [[7000, 7000], true]);

		const longer = { status: 429, headers: { "Retry-After": "3600" } };
		await using closed = await startFakeRegistry(on("POST", longer));
		await assert.rejects(push(closed, randomBytes(1000)), {
			message: "it answers 429 Too Many Requests",
			hint: /^wait 3600 s, and run rbuild again/,
		});
	});

	it("goes in smaller requests where one is too large", async () => {
		const tooLarge = ({ method, headers }: SeenRequest) =>
			method === "PATCH" && Number(headers["content-length"]) > 5_000_000
				? { status: 413 }
				: undefined;
		await using registry = await startFakeRegistry(tooLarge);
		assert.equal((await push(registry, randomBytes(9_000_000))).isThere, true);
		const ranges = registry.log.flatMap((line) => /PATCH \S+ (.+)/.exec(line)?.[1] ?? []);
		assert.deepEqual(ranges, ["0-4194303", "4194304-8388607", "8388608-8999999"]);

		await using tiny = await startFakeRegistry(on("PUT", { status: 413 }, 9));
		await assert.rejects(push(tiny, randomBytes(1000)), { hint: /client_max_body_size/ });
	});

	it("names a blob whose digest is refused, and finds out if the cache is to blame", async () => {
		const errors = [{ code: "DIGEST_INVALID", message: "content does not match" }];
		const refused = { status: 400, body: JSON.stringify({ errors }) };
		await using registry = await startFakeRegistry(on("PUT", refused));
		const content = randomBytes(1000);
		const { digest } = await blobOf(content);
		await assert.rejects(push(registry, content), {
			message: `it refuses blob ${digest}: digest invalid: content does not match (400 Bad Request)`,
		});

		const damaged = randomBytes(LARGE);
		const blob = await blobOf(damaged);
		await using other = await startFakeRegistry(({ method }) => {
			if (method === "POST") writeFileSync(cache.path(blob.digest), randomBytes(LARGE));
			return undefined;
		});
		await assert.rejects(push(other, damaged), {
			name: "DeliveryError",
			message: `blob ${blob.digest} is damaged in the image cache, or was removed from it`,
		});
	});

	describe("to where the registry sends it", () => {
		/** Another host, for which the login is not meant. */
		const elsewhere = (host: string) => `http://localhost:${host.split(":")[1]}`;
		const guarded = ({ headers }: SeenRequest) =>
			headers.authorization === undefined ? BASIC : undefined;

		it("shows its login to the registry alone", async () => {
			await using store = await startFakeRegistry();
			const isSent = ({ method }: SeenRequest) => method === "PATCH" || method === "PUT";
			await using registry = await startFakeRegistry((request) => {
				if (!isSent(request)) return guarded(request);
				const place = `${elsewhere(store.host)}${request.path.replace("ID", "1")}?${request.query}`;
				return { status: 307, headers: { Location: place } };
			});
			// Begins the upload that the registry sends to.
			await fetch(`http://${store.host}${UPLOADS}`, { method: "POST" });
			const content = randomBytes(LARGE);
			await push(registry, content, { login: LOGIN });
			assert.equal([...store.blobs.values()][0]?.equals(content), true);
			assert.deepEqual(
				store.requests.flatMap(({ headers }) => headers.authorization ?? []),
				[],
			);
			const shown = new Set(registry.requests.map(({ headers }) => headers.authorization));
			assert.deepEqual(shown, new Set([undefined, "Basic bWU6czNjcmV0"]));
		});

		it("goes to no place without TLS from a registry that has it", async () => {
			const web = async (url: URL) => ({
				status: url.pathname === "/v2/" ? 200 : url.pathname.endsWith("/uploads/") ? 202 : 404,
				headers: { location: "http://registry.example/v2/x" },
				body: "",
			});
			const client = await RegistryClient.open("registry.example", LOGIN, web, signal);
			const blob = await blobOf(randomBytes(1000));
			const place = { client, repository: "team/app", cache, signal };
			await assert.rejects(
				pushBlob(blob, place, undefined, () => {}),
				{
					message: "it redirects to http://registry.example, without TLS",
					hint: /X-Forwarded-Proto/,
				},
			);
		});
	});

	it("shows nothing of a login that the registry sends back", async () => {
		await using registry = await startFakeRegistry(({ method, headers }) => {
			if (headers.authorization === undefined) return BASIC;
			const message = `who is ${headers.authorization}, with s3cret?`;
			const body = JSON.stringify({ errors: [{ code: "DENIED", message }] });
			return method === "POST" ? { status: 403, body } : undefined;
		});
		await assert.rejects(push(registry, randomBytes(1000), { login: LOGIN }), {
			message: "denied: who is Basic ***, with ***? (403 Forbidden)",
			hint: /does not accept the login for it: renew it \(docker login 127/,
		});
	});
});
