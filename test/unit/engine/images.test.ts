import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { connectEngine } from "../../../src/engine/connect-engine.js";
import {
	exportImage,
	inspectImage,
	loadImage,
	pushImage,
	removeImage,
	tagImage,
} from "../../../src/engine/images.js";
import { answers, type Route, startFakeDaemon, streams } from "../../support/fake-daemon.js";
import { unixTransport } from "../../support/unix-transport.js";

const { signal } = new AbortController();

async function connected(routes: Record<string, Route>) {
	const daemon = await startFakeDaemon({ routes });
	const engine = await connectEngine(unixTransport(daemon.socketPath), signal);
	return {
		engine,
		lastRequest: () => daemon.requests.at(-1),
		async [Symbol.asyncDispose]() {
			await engine[Symbol.asyncDispose]();
			await daemon.stop();
		},
	};
}

async function collect(lines: AsyncIterable<unknown>): Promise<unknown[]> {
	const all: unknown[] = [];
	for await (const line of lines) all.push(line);
	return all;
}

test("an image's description is its id, names, platform and size", async () => {
	await using daemon = await connected({
		"GET /images/r.example:5000/team/app:1/json": answers({
			Id: "sha256:aa",
			RepoTags: ["r.example:5000/team/app:1"],
			RepoDigests: null,
			Os: "linux",
			Architecture: "arm64",
			Variant: "v8",
			Size: 2_066_660,
			Config: { Labels: { "a.b": "c" }, Env: ["PATH=/bin"] },
		}),
	});
	assert.deepEqual(await inspectImage(daemon.engine, "r.example:5000/team/app:1", signal), {
		id: "sha256:aa",
		tags: ["r.example:5000/team/app:1"],
		digests: [],
		platform: "linux/arm64",
		size: 2_066_660,
		layers: [],
		hasTriggers: false,
		environment: ["PATH=/bin"],
		isInGraphDriver: false,
		labels: { "a.b": "c" },
	});
});

test("an image's description tells its triggers, and whether its store asks no registry", async () => {
	const GraphDriver = { Name: "overlay2", Data: { MergedDir: "/m" } };
	await using daemon = await connected({
		"GET /images/graph/json": answers({ Id: "a", GraphDriver, Config: { OnBuild: ["RUN x"] } }),
		"GET /images/snapshot/json": answers({
			Id: "b",
			GraphDriver: { Name: "overlayfs", Data: null },
		}),
		"GET /images/described/json": answers({ Id: "c", GraphDriver, Descriptor: {} }),
	});
	const graph = await inspectImage(daemon.engine, "graph", signal);
	assert.deepEqual([graph.hasTriggers, graph.isInGraphDriver], [true, true]);
	assert.equal((await inspectImage(daemon.engine, "snapshot", signal)).isInGraphDriver, false);
	assert.equal((await inspectImage(daemon.engine, "described", signal)).isInGraphDriver, false);
});

test("an id that Podman gives without its algorithm gets it", async () => {
	const podman = answers({ Id: "aa", Os: "linux", Architecture: "amd64" });
	await using daemon = await connected({ "GET /images/app/json": podman });
	assert.equal((await inspectImage(daemon.engine, "app", signal)).id, "sha256:aa");
});

test("a description without an id is refused", async () => {
	await using daemon = await connected({ "GET /images/app/json": answers(null) });
	await assert.rejects(inspectImage(daemon.engine, "app", signal), {
		name: "EngineError",
		message: /describes app without an image id$/,
	});
});

test("a reference cannot lead to another route", async () => {
	await using daemon = await connected({});
	await assert.rejects(inspectImage(daemon.engine, "a?b#c d", signal), { status: 404 });
	assert.equal(daemon.lastRequest(), "GET /v1.51/images/a%3Fb%23c%20d/json");
});

test("a tag is what follows the last colon behind the last slash, else latest", async () => {
	await using daemon = await connected({ "POST /images/sha256:aa/tag": answers({}) });
	for (const [name, query] of [
		["app", "repo=app&tag=latest"],
		["app:1", "repo=app&tag=1"],
		["r.example:5000/app", "repo=r.example%3A5000%2Fapp&tag=latest"],
		["r.example:5000/app:1", "repo=r.example%3A5000%2Fapp&tag=1"],
	]) {
		await tagImage(daemon.engine, "sha256:aa", name ?? "", signal);
		assert.equal(daemon.lastRequest(), `POST /v1.51/images/sha256:aa/tag?${query}`);
	}
});

test("a push goes to the repository, with padded base64url credentials", async () => {
	let header: string | string[] | undefined;
	await using daemon = await connected({
		"POST /images/r.example/app/push": (request, response) => {
			header = request.headers["x-registry-auth"];
			streams({ status: "Pushed" }, { errorDetail: { message: "denied" } })(request, response);
		},
	});
	const auth = { username: "me", password: "ü?>" };
	assert.deepEqual(await collect(pushImage(daemon.engine, "r.example/app:1", auth, signal)), [
		{ status: "Pushed" },
		{ errorDetail: { message: "denied" } },
	]);
	assert.equal(daemon.lastRequest(), "POST /v1.51/images/r.example/app/push?tag=1");
	assert.equal(header, "eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiLDvD8-In0=");

	await collect(pushImage(daemon.engine, "r.example/app:1", undefined, signal));
	assert.equal(header, "e30=");
});

test("an export is the daemon's stream, a load sends one", async () => {
	let loaded = "";
	await using daemon = await connected({
		"GET /images/get": (_request, response) => {
			response.end("layers");
		},
		"POST /images/load": async (request, response) => {
			assert.equal(request.headers["content-type"], "application/x-tar");
			loaded = Buffer.concat(await request.toArray()).toString();
			response.end('{"stream":"Loaded image: a:1"}');
		},
	});
	const tar = await exportImage(daemon.engine, ["a:1", "b"], signal);
	assert.equal(daemon.lastRequest(), "GET /v1.51/images/get?names=a%3A1&names=b");
	assert.deepEqual(await collect(loadImage(daemon.engine, tar, signal)), [
		{ stream: "Loaded image: a:1" },
	]);
	assert.equal(loaded, "layers");
});

test("an export that breaks off while it is loaded fails the load", async () => {
	await using daemon = await connected({
		"POST /images/load": (request, response) => {
			request.resume();
			response.write('{"stream":"Loading"}\n');
		},
	});
	const failure = new Error("disk on fire");
	const broken = new Readable({
		read() {
			this.push("half");
			setImmediate(() => this.destroy(failure));
		},
	});
	await assert.rejects(collect(loadImage(daemon.engine, broken, signal)), failure);
});

test("an image is removed by its name", async () => {
	await using daemon = await connected({
		"DELETE /images/r.example/app:1": answers([{ Untagged: "r.example/app:1" }]),
	});
	await removeImage(daemon.engine, "r.example/app:1", signal);
	assert.equal(daemon.lastRequest(), "DELETE /v1.51/images/r.example/app:1");
});
