import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Environment } from "../../src/environment.js";
import type { DeliveryError } from "../../src/errors.js";
import { BlobCache } from "../../src/image/cache/blob-cache.js";
import { registryCredentials } from "../../src/image/credentials/registry-credentials.js";
import { pushFromCache } from "../../src/image/registry/client-push.js";
import type { PushNews } from "../../src/image/registry/push-tally.js";
import { cacheImage, cacheIndex } from "../support/cached-images.js";
import { Authority } from "../support/certificates.js";
import { type Registry, startRegistry, whyNoRegistry } from "../support/registry.js";
import { startTokenServer } from "../support/token-server.js";

const run = { signal: new AbortController().signal, emit: () => {} };
const LARGE = 5_000_000;

/** Of this machine, and not its loopback. */
const address = Object.values(networkInterfaces())
	.flatMap((all = []) => all)
	.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
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
		const layers = news.flatMap(({ layer }) => layer ?? []);
		const states = layers.flatMap(({ state }) => (state === "moving" ? [] : state)).toSorted();
		return { ...pushed, states, details: news.flatMap(({ detail }) => detail ?? []) };
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
		assert.deepEqual(second.states, ["done", "there"]);
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

	test("is there as a whole after the connection broke in the middle of a layer", async () => {
		let cuts = 1;
		let connections = 0;
		await using cutting = await startProxy(registry.host, (socket) => {
			connections += 1;
			let passed = 0;
			socket.on("data", (chunk: Buffer) => {
				passed += chunk.length;
				if (cuts > 0 && passed > LARGE / 2) {
					cuts -= 1;
					socket.destroy();
				}
			});
		});
		const image = await cacheImage(cache, [randomBytes(LARGE)]);
		const { bytes } = await push(`${cutting.host}/team/cut:1`, image);
		assert.ok(bytes > LARGE, `${bytes} bytes`);
		assert.equal(cuts, 0);
		assert.ok(connections > 1);
		const copy = ["copy", "--src-tls-verify=false", `docker://${registry.host}/team/cut:1`];
		const target = `dir:${mkdtempSync(join(directory, "copy-"))}`;
		execFileSync("skopeo", [...copy, target], { stdio: "pipe" });
	});

	/** Where docker and podman look for whom to trust beside the system's. */
	function trust(user: Environment, host: string, certificate: string): void {
		const folder = join(user.homeDirectory, ".docker/certs.d", host);
		mkdirSync(folder, { recursive: true });
		copyFileSync(certificate, join(folder, "ca.crt"));
	}

	const rejected = (name: string, reason: RegExp, hint: RegExp) => (error: Error) => {
		assert.equal(error.name, "DeliveryError");
		assert.match(error.message, new RegExp(`^cannot push ${name} to ${name.split("/")[0]}: `));
		assert.match(error.message, reason);
		assert.match((error as DeliveryError).hint ?? "", hint);
		return true;
	};

	test("goes over TLS to a registry whose CA is in certs.d, with a password", async () => {
		const authority = new Authority(directory, "registry-ca");
		const { certificate, key } = authority.forServer("IP:127.0.0.1");
		const tls = { certificateFile: certificate, keyFile: key };
		const login = { username: "me", password: "s3cret:+" };
		await using secure = await startRegistry({ tls, login });
		const tag = `${secure.host}/app:1`;
		const image = await cacheImage(cache, [randomBytes(2_000_000)]);
		const auth = Buffer.from("me:s3cret:+").toString("base64");
		const user = environment({ auths: { [secure.host]: { auth } } });

		await assert.rejects(
			push(tag, image, user),
			rejected(tag, /signed by an unknown authority/, /certs\.d.*\/ca\.crt/),
		);
		trust(user, secure.host, authority.certificate);
		assert.equal((await push(tag, image, user)).digest, image.digest);
		const shown = execFileSync("skopeo", [
			...["inspect", "--raw", "--tls-verify=false", "--creds", "me:s3cret:+", `docker://${tag}`],
		]);
		assert.deepEqual(shown, await cache.content(image.digest));
	});

	test("gets tokens with a password or an identity token, one for each thing it does", async () => {
		const identity = { username: "me", password: "s3cret", identityToken: "1dentity" };
		await using tokens = await startTokenServer({ address: "127.0.0.1", ...identity });
		await using guarded = await startRegistry({ tokens });
		const logins = [
			{ auth: Buffer.from("me:s3cret").toString("base64") },
			{ identitytoken: "1dentity" },
		];
		for (const [index, entry] of logins.entries()) {
			const user = environment({ auths: { [guarded.host]: entry } });
			trust(user, new URL(tokens.realm).host, tokens.certificateFile);
			const image = await cacheImage(cache, [randomBytes(1000), randomBytes(1000)]);
			const before = tokens.requests.length;
			await push(`${guarded.host}/team/app:${index}`, image, user);
			assert.deepEqual(
				tokens.requests.slice(before).map(({ method, login, scopes }) => [method, login, scopes]),
				[
					[
						...(index === 0 ? ["GET", "password"] : ["POST", "identity token"]),
						["repository:team/app:pull,push"],
					],
				],
			);
			// Another repository, from which it takes over, and needs the leave to read.
			await push(`${guarded.host}/other/app${index}:1`, image, user);
			assert.deepEqual(tokens.requests.at(-1)?.scopes, [
				`repository:other/app${index}:pull,push`,
				"repository:team/app:pull",
			]);
		}
		const user = environment();
		trust(user, new URL(tokens.realm).host, tokens.certificateFile);
		const image = await cacheImage(cache, [randomBytes(1000)]);
		const tag = `${guarded.host}/team/app:3`;
		await assert.rejects(
			push(tag, image, user),
			rejected(tag, /requires a login \(401 Unauthorized\)/, /run "docker login /),
		);
	});

	test("sends nothing without TLS beyond this machine", {
		skip: address === undefined,
	}, async () => {
		await using plain = await startRegistry({ address: address ?? "" });
		const image = await cacheImage(cache, [randomBytes(1000)]);
		const tag = `${plain.host}/app:1`;
		await assert.rejects(
			push(tag, image),
			rejected(tag, /it speaks plain HTTP/, /put TLS in front of it, .* \(--via daemon\)/),
		);
	});
});

/** Passes connections on, and shows what comes over each. */
async function startProxy(host: string, watch: (socket: Socket) => void) {
	const [address = "", port] = host.split(":");
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		const onward = connect(Number(port), address);
		for (const [one, other] of [
			[socket, onward],
			[onward, socket],
		] as const) {
			sockets.add(one);
			one.on("error", () => {}).on("close", () => other.destroy());
			one.pipe(other);
		}
		watch(socket);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return {
		host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
		async [Symbol.asyncDispose]() {
			for (const socket of sockets) socket.destroy();
			server.close();
			await once(server, "close");
		},
	};
}
