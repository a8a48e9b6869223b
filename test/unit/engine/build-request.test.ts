import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { type BuildRequest, buildImage, cancelBuild } from "../../../src/engine/build-request.js";
import { connectEngine } from "../../../src/engine/connect-engine.js";
import { answers, type Route, startFakeDaemon, streams } from "../../support/fake-daemon.js";
import { unixTransport } from "../../support/unix-transport.js";

const { signal } = new AbortController();

const PODMAN = answers({
	Components: [{ Name: "Podman Engine" }],
	Version: "5.8.6",
	Os: "linux",
	Arch: "amd64",
});

const CLASSIC: Route = (_request, response) => {
	response.writeHead(200, { "Api-Version": "1.41", "Builder-Version": "1" }).end("OK");
};

/** What reaches the daemon for a build. */
async function sent(
	build: Omit<BuildRequest, "context">,
	options: { classic?: boolean; podman?: boolean; hidden?: readonly string[] } = {},
) {
	let headers: Record<string, unknown> = {};
	let body = "";
	await using daemon = await startFakeDaemon({
		routes: {
			...(options.classic && { "GET /_ping": CLASSIC }),
			...(options.podman && { "GET /version": PODMAN }),
			"POST /build": async (request, response) => {
				headers = request.headers;
				body = Buffer.concat(await request.toArray()).toString();
				response.end('{"stream":"done"}\n');
			},
		},
	});
	await using engine = await connectEngine(unixTransport(daemon.socketPath), signal);
	const lines: unknown[] = [];
	const { hidden } = options;
	const tar = Readable.from([Buffer.from("tar")]);
	const context = { kind: "tar", tar, ...(hidden && { hidden }) } as const;
	for await (const line of buildImage(engine, { ...build, context }, signal)) lines.push(line);
	const url = new URL(daemon.requests.at(-1)?.replace("POST ", "") ?? "", "http://daemon");
	return { path: url.pathname, query: [...url.searchParams], headers, body, lines };
}

test("BuildKit gets version=2, the tar, and no credentials", async () => {
	const build = await sent({ registryAuths: { "r.example": { username: "me", password: "pw" } } });
	assert.equal(build.path, "/v1.51/build");
	assert.deepEqual(build.query, [["version", "2"]]);
	assert.equal(build.headers["content-type"], "application/x-tar");
	assert.equal(build.headers.connection, "close");
	assert.equal(build.headers["x-registry-config"], undefined);
	assert.equal(build.body, "tar");
	assert.deepEqual(build.lines, [{ stream: "done" }]);
});

test("the classic builder gets version=1, cleans up after itself, and has the credentials", async () => {
	const auths = { "r.example": { username: "me", password: "pw?>~" } };
	const build = await sent({ registryAuths: auths }, { classic: true });
	assert.equal(build.path, "/v1.41/build");
	assert.deepEqual(build.query, [
		["version", "1"],
		["rm", "1"],
		["forcerm", "1"],
	]);
	const header = String(build.headers["x-registry-config"]);
	assert.match(header, /^[\w-]+=*$/);
	assert.equal(header.length % 4, 0);
	assert.deepEqual(JSON.parse(Buffer.from(header, "base64url").toString()), auths);
});

test("every option goes under the name that the daemon knows", async () => {
	const build = await sent({
		tags: ["app:1", "r.example:5000/app"],
		dockerfile: "docker/Dockerfile.prod",
		target: "runtime",
		buildArgs: { VERSION: "1.0 & more", UNSET: null },
		labels: { "org.example": "é" },
		platform: "linux/arm64",
		noCache: true,
		pull: true,
		networkMode: "none",
		extraHosts: ["db:10.0.0.1", "v6:::1"],
		shmSize: 67_108_864,
		ulimits: [{ name: "nofile", soft: 1024, hard: 2048 }],
		cgroupParent: "builds",
		cacheFrom: ["app:latest"],
		buildId: "b1",
		sessionId: "s1",
	});
	assert.deepEqual(build.query, [
		["t", "app:1"],
		["t", "r.example:5000/app"],
		["dockerfile", "docker/Dockerfile.prod"],
		["target", "runtime"],
		["labels", '{"org.example":"é"}'],
		["platform", "linux/arm64"],
		["nocache", "1"],
		["pull", "1"],
		["buildargs", '{"VERSION":"1.0 & more","UNSET":null}'],
		["networkmode", "none"],
		["cachefrom", '["app:latest"]'],
		["extrahosts", "db:10.0.0.1"],
		["extrahosts", "v6:::1"],
		["ulimits", '[{"Name":"nofile","Soft":1024,"Hard":2048}]'],
		["shmsize", "67108864"],
		["cgroupparent", "builds"],
		["buildid", "b1"],
		["session", "s1"],
		["version", "2"],
	]);
});

test("Podman gets hosts, limits and cache sources as its command line spells them", async () => {
	const build = await sent(
		{
			extraHosts: ["db:10.0.0.1", "cache:10.0.0.2"],
			ulimits: [{ name: "nofile", soft: 1024, hard: 2048 }],
			cacheFrom: ["app:latest", "localhost:5000/app", "app@sha256:0"],
		},
		{ podman: true },
	);
	assert.deepEqual(build.query.slice(0, 4), [
		["nsoptions", '[{"Name":"network","Host":false}]'],
		["cachefrom", '["app","localhost:5000/app","app"]'],
		["extrahosts", '["db:10.0.0.1","cache:10.0.0.2"]'],
		["ulimits", '["nofile=1024:2048"]'],
	]);
});

test("Podman gets networks and variables in its own words, and no rules that were followed already", async () => {
	const query = async (build: Omit<BuildRequest, "context">, hidden?: readonly string[]) =>
		Object.fromEntries((await sent(build, { podman: true, ...(hidden && { hidden }) })).query);
	const none = await query({ networkMode: "none", buildArgs: { A: null, B: "" } });
	assert.deepEqual(none, {
		buildargs: '{"B":""}',
		networkmode: "NetworkDisabled",
		version: "1",
		rm: "1",
		forcerm: "1",
	});
	for (const networkMode of ["default", "bridge", "private"]) {
		const { nsoptions, networkmode } = await query({ networkMode });
		assert.deepEqual([nsoptions, networkmode], ['[{"Name":"network","Host":false}]', undefined]);
	}
	assert.equal((await query({ networkMode: "host" })).networkmode, "host");
	assert.equal((await query({ networkMode: "host" })).nsoptions, undefined);
	assert.equal((await query({}, [])).excludes, '["!Dockerfile"]');
	assert.equal((await query({}, ["a[b]"])).excludes, '["!Dockerfile","a\\\\[b\\\\]"]');
	assert.equal((await query({}, ["!D", " D "])).excludes, '["!Dockerfile","\\\\!D","[ ]D[ ]"]');
	assert.equal((await query({})).excludes, undefined);
});

test("what is empty or off is left out", async () => {
	const build = await sent({
		tags: [],
		buildArgs: {},
		labels: {},
		ulimits: [],
		cacheFrom: [],
		noCache: false,
		pull: undefined,
		target: undefined,
	});
	assert.deepEqual(build.query, [["version", "2"]]);
});

test("a context that the daemon fetches goes as its URL, without a body", async () => {
	let length: string | undefined;
	await using daemon = await startFakeDaemon({
		routes: {
			"POST /build": (request, response) => {
				length = request.headers["content-length"];
				streams()(request, response);
			},
		},
	});
	await using engine = await connectEngine(unixTransport(daemon.socketPath), signal);
	const url = "https://git.example/app.git#main:src";
	for await (const _line of buildImage(engine, { context: { kind: "remote", url } }, signal));
	const query = new URLSearchParams({ remote: url, version: "2" });
	assert.equal(daemon.requests.at(-1), `POST /v1.51/build?${query}`);
	assert.equal(length, "0");
});

test("a build is cancelled by its id", async () => {
	await using daemon = await startFakeDaemon({ routes: { "POST /build/cancel": answers({}) } });
	await using engine = await connectEngine(unixTransport(daemon.socketPath), signal);
	await cancelBuild(engine, "b 1", signal);
	assert.equal(daemon.requests.at(-1), "POST /v1.51/build/cancel?id=b+1");
});
