import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { Environment } from "../../src/environment.js";
import { BlobCache } from "../../src/image/cache/blob-cache.js";
import { cachedBlobs } from "../../src/image/cache/cache-pruning.js";
import { type Digest, digestOf } from "../../src/image/manifest/digest.js";
import { BlobUploads } from "../../src/image/reverse/blob-uploads.js";
import { PushContents } from "../../src/image/reverse/push-contents.js";
import { RegistryServer } from "../../src/image/reverse/registry-server.js";
import { parseTarget } from "../../src/target/parse-target.js";
import { openTransport, readTransportSettings } from "../../src/transport/open-transport.js";
import type { LoopbackPort, Transport } from "../../src/transport/transport.js";
import { suiteUnless } from "../support/requirement.js";
import { type Sshd, startSshd, whyNoSshd } from "../support/sshd.js";

const { signal } = new AbortController();
const REPOSITORY = "rbuild/image";
const layer = Buffer.from("a layer that is in the cache");

const why =
	whyNoSshd() ?? (process.getuid?.() === 0 ? undefined : "it takes root to be another user");

/** What another user of the box can do: any request at all, of which the status and the rest come back. */
const STRANGER = `
const [, port, requests] = process.argv;
const { connect } = require("node:net");
const one = (request) => new Promise((resolve) => {
	let answer = "";
	const socket = connect(Number(port), "127.0.0.1");
	socket.on("error", () => {});
	socket.on("data", (chunk) => { answer += chunk; });
	socket.on("close", () => resolve(answer));
	socket.write(request);
});
(async () => {
	const answers = [];
	for (const request of JSON.parse(requests)) answers.push(await one(request));
	console.log(JSON.stringify({ user: process.getuid(), answers }));
})();
`;

suiteUnless(why, "another user of the box", () => {
	let daemon: Server;
	let sshd: Sshd;
	let directory: string;
	let cache: BlobCache;
	let transport: Transport;
	let contents: PushContents;
	let registry: RegistryServer;
	let port: LoopbackPort;
	const failures: unknown[] = [];

	before(async () => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-strangers-"));
		// A daemon is not spoken to here, but must be there to be connected to.
		daemon = createServer().listen(join(directory, "daemon.sock"));
		sshd = await startSshd();
		const environment: Environment = {
			variables: { PATH: process.env.PATH },
			homeDirectory: homedir(),
			userName: userInfo().username,
			platform: process.platform,
			workingDirectory: directory,
			sshConfigFile: sshd.sshConfigFile,
		};
		const chosen = {
			target: parseTarget(`ssh://${sshd.alias}${join(directory, "daemon.sock")}`),
			chosenBy: "--on",
		};
		const settings = readTransportSettings(chosen, environment, signal);
		transport = await openTransport(chosen, settings, signal, () => {});
		cache = new BlobCache(join(directory, "cache"));
		await cache.store(layer);
		const none = new Set<Digest>();
		contents = new PushContents(
			cache,
			{ diffIds: [], config: undefined, size: 1000, unwanted: none, missing: none },
			signal,
		);
		const uploads = new BlobUploads(cache, contents, () => {});
		const onFailure = (error: unknown) => failures.push(error);
		registry = new RegistryServer({ repository: REPOSITORY, contents, uploads, onFailure });
		assert.ok(transport.listen);
		port = await transport.listen((stream) => registry.accept(stream), signal);
	});
	after(async () => {
		await port?.[Symbol.asyncDispose]();
		registry?.close();
		await transport?.[Symbol.asyncDispose]();
		await sshd?.stop();
		daemon?.close();
		rmSync(directory, { recursive: true, force: true });
	});

	async function answersTo(requests: readonly string[]): Promise<readonly string[]> {
		const user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
		const script = ["-e", STRANGER, String(port.port), JSON.stringify(requests)];
		const child = spawn("setpriv", [...user, process.execPath, ...script], {
			cwd: "/",
			stdio: ["ignore", "pipe", "inherit"],
		});
		const said = JSON.parse(await text(child.stdout)) as { user: number; answers: string[] };
		assert.equal(said.user, 65534);
		return said.answers;
	}

	const digest = digestOf(layer);
	const paths = [
		...["/", "/v2", "/v2/", "/v2/_catalog", `/v2/${REPOSITORY}/tags/list`],
		...[`/v2/${REPOSITORY}/blobs/${digest}`, `/v2/${REPOSITORY}/manifests/latest`],
		...[`/v2/${REPOSITORY}/manifests/${digest}`, `/v2/${REPOSITORY}/blobs/uploads/`],
		...[`/v2/${REPOSITORY}/blobs/uploads/?digest=${digest}`, "/../../etc/passwd", "*"],
	];
	const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
	const isRefusal = (answer: string) => {
		assert.match(answer, /^HTTP\/1\.1 401 Unauthorized\r\n/);
		assert.doesNotMatch(answer, /sha256|rbuild\/|latest/);
	};

	test("gets 401 and nothing else, by whatever method and path", async () => {
		const requests = methods.flatMap((method) =>
			paths.map(
				(path) => `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello`,
			),
		);
		const answers = await answersTo(requests);
		assert.equal(answers.length, methods.length * paths.length);
		answers.forEach(isRefusal);
	});

	test("gets 401 and nothing else for guesses, and for what is no request", async () => {
		const guess = (login: string) => {
			const coded = Buffer.from(login).toString("base64");
			return `GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${coded}\r\n\r\n`;
		};
		const { username, password } = registry.auth;
		const answers = await answersTo([
			...[guess(""), guess(`${username}:`), guess(`${username}:x`), guess(`x:${password}`)],
			`GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${password}\r\n\r\n`,
			`GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
			"\u0016\u0003\u0001 hello\r\n\r\n",
		]);
		answers.forEach(isRefusal);
	});

	test("leaves nothing behind", async () => {
		assert.equal(contents.received, 0);
		assert.deepEqual(
			(await cachedBlobs(cache)).map((blob) => blob.digest),
			[digest],
		);
		assert.deepEqual(readdirSync(join(directory, "cache/incoming")), []);
		assert.deepEqual(failures, []);
	});
});
