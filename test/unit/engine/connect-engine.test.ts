import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { connectEngine } from "../../../src/engine/connect-engine.js";
import type { Engine } from "../../../src/engine/engine.js";
import { HttpConnection } from "../../../src/engine/http-connection.js";
import { readJsonLines } from "../../../src/engine/json-lines.js";
import { ConnectionError, ContextError, InterruptedError } from "../../../src/errors.js";
import type { Transport } from "../../../src/transport/transport.js";
import {
	answers,
	closesAfter,
	type FakeDaemon,
	GREETING,
	hangsUp,
	neverAnswers,
	type Route,
	refuses,
	sendsLine,
	speaksSsh,
	startFakeDaemon,
	streams,
	truncates,
} from "../../support/fake-daemon.js";
import { noHalfOpenPipes } from "../../support/this-system.js";
import { unixTransport } from "../../support/unix-transport.js";

const HOUR = 3_600_000;

const { signal } = new AbortController();

async function fakeDaemon(context: TestContext, routes: Record<string, Route> = {}) {
	const daemon = await startFakeDaemon({ routes });
	context.after(() => daemon.stop());
	return daemon;
}

/** Named like a box, so that messages can be compared. */
function transportTo(daemon: FakeDaemon, opened: AbortSignal[] = []): Transport {
	const transport = unixTransport(daemon.socketPath);
	return {
		...transport,
		target: "ssh://x86box",
		open(signal) {
			opened.push(signal);
			return transport.open(signal);
		},
	};
}

async function connected(context: TestContext, routes: Record<string, Route> = {}) {
	const daemon = await fakeDaemon(context, routes);
	const opened: AbortSignal[] = [];
	const engine = await connectEngine(transportTo(daemon, opened), signal);
	context.after(() => engine[Symbol.asyncDispose]());
	return { daemon, engine, opened };
}

const build = (engine: Engine, body: Readable, abort = signal) =>
	engine.request({ method: "POST", path: "/build", body, signal: abort });

test("the greeting is two requests at once, and the facts are in its answers", async (context) => {
	const { engine, daemon, opened } = await connected(context);
	assert.deepEqual(engine.facts, {
		product: "docker",
		version: "28.5.2",
		apiVersion: "1.51",
		platform: "linux/amd64",
		builder: "buildkit",
	});
	assert.deepEqual([...daemon.requests].sort(), ["GET /_ping", "GET /version"]);
	assert.equal(opened.length, 2);
});

test("the daemon's clock is ahead by what its answers say at least, and to the next second", async (context) => {
	const lead = async (date: number | undefined) => {
		const dated = (route: Route): Route => {
			return (request, response) => {
				if (date === undefined) response.sendDate = false;
				else response.setHeader("Date", new Date(date).toUTCString());
				route(request, response);
			};
		};
		const routes = Object.entries(GREETING).map(([name, route]) => [name, dated(route)]);
		return (await connected(context, Object.fromEntries(routes))).engine.clockLeadMs;
	};
	assert.equal(await lead(Date.now()), 0);
	assert.equal(await lead(Date.now() - HOUR), 0);
	assert.equal(await lead(undefined), 0);
	const ahead = await lead(Date.now() + HOUR);
	assert.ok(ahead <= HOUR + 1000 && ahead > HOUR - 10_000, `${ahead}`);
});

test("requests carry the version that was agreed on, their query, headers and body", async (context) => {
	let received: unknown;
	const { engine, daemon } = await connected(context, {
		"POST /images/create": async (request, response) => {
			const chunks = await request.toArray();
			received = [request.headers["x-registry-auth"], Buffer.concat(chunks).toString()];
			response.end('{"ok":true}');
		},
	});
	const answer = await engine.json({
		method: "POST",
		path: "/images/create",
		query: { repo: "a&b", changes: ["ENV A=1 2", "CMD x"], tag: undefined },
		headers: { "X-Registry-Auth": "e30=" },
		body: Readable.from([Buffer.from("one"), Buffer.from("two")]),
		signal,
	});
	assert.deepEqual(answer, { ok: true });
	assert.deepEqual(received, ["e30=", "onetwo"]);
	assert.equal(
		daemon.requests.at(-1),
		"POST /v1.51/images/create?repo=a%26b&changes=ENV+A%3D1+2&changes=CMD+x",
	);
});

test("a list of header values becomes a repeated header", async (context) => {
	let received: string[] = [];
	const { engine } = await connected(context, {
		"GET /info": (request, response) => {
			received = request.rawHeaders.filter((_, at, all) => all[at - 1] === "X-Method");
			answers({})(request, response);
		},
	});
	await engine.json({
		method: "GET",
		path: "/info",
		headers: { "X-Method": ["/a", "/b"] },
		signal,
	});
	assert.deepEqual(received, ["/a", "/b"]);
});

test("small requests share a stream, a streamed body closes its own", async (context) => {
	const { engine, opened } = await connected(context, {
		"GET /info": answers({}),
		"POST /build": streams(),
	});
	const info = { method: "GET", path: "/info", signal } as const;
	for (let count = 0; count < 3; count++) await engine.json(info);
	assert.equal(opened.length, 2);
	for (let count = 0; count < 3; count++) {
		const { body } = await build(engine, Readable.from([Buffer.from("tar")]));
		await body.toArray();
	}
	await engine.json(info);
	assert.ok(opened.length > 3, `${opened.length} streams were opened`);
});

test("a refusal is the daemon's own words, with method, path and status", async (context) => {
	const { engine } = await connected(context, {
		"GET /images/app/json": refuses(404, "No such image: app:latest"),
		"POST /build": refuses(
			400,
			"cannot fetch https://me:hunter2@git.example/x.git or\n https://token@git.example",
		),
	});
	await assert.rejects(engine.json({ method: "GET", path: "/images/app/json", signal }), {
		name: "EngineError",
		message: "ssh://x86box refused GET /images/app/json: No such image: app:latest (HTTP 404)",
		status: 404,
	});
	await assert.rejects(
		engine.json({ method: "POST", path: "/build", query: { remote: "https://secret@x" }, signal }),
		{
			message:
				"ssh://x86box refused POST /build: cannot fetch https://***@git.example/x.git or https://***@git.example (HTTP 400)",
		},
	);
});

test("a refusal that is no JSON, or Podman's, is readable too", async (context) => {
	const { engine } = await connected(context, {
		"GET /a": (_request, response) => {
			response.writeHead(502).end("<html><h1>502 Bad\nGateway</h1></html>");
		},
		"GET /b": (_request, response) => {
			response.writeHead(500).end('{"errorDetail":{"message":"refused"},"error":"refused"}');
		},
		"GET /c": (_request, response) => {
			response.writeHead(500).end();
		},
		"GET /d": (_request, response) => {
			response.writeHead(403).end('{"error":{"code":7}}');
		},
	});
	const message = async (path: string): Promise<string> => {
		const failure = await engine.json({ method: "GET", path, signal }).catch((error) => error);
		return (failure as Error).message;
	};
	assert.equal(await message("/a"), "ssh://x86box refused GET /a: 502 Bad Gateway (HTTP 502)");
	assert.equal(await message("/b"), "ssh://x86box refused GET /b: refused (HTTP 500)");
	assert.equal(await message("/c"), "ssh://x86box refused GET /c: no reason given (HTTP 500)");
	assert.equal(await message("/d"), 'ssh://x86box refused GET /d: {"error":{"code":7}} (HTTP 403)');
});

test("a daemon may refuse while the context is still being sent, and the context is let go", async (context) => {
	const { engine } = await connected(context, { "POST /build": refuses(500, "disk full") });
	const endless = new Readable({
		read() {
			setImmediate(() => this.push(Buffer.alloc(64 * 1024)));
		},
	});
	await assert.rejects(build(engine, endless), { name: "EngineError", status: 500 });
	if (!endless.closed) await once(endless, "close");
	assert.ok(endless.destroyed);
});

test("a failure of the body that is sent is the caller's own", async (context) => {
	const { engine } = await connected(context, { "POST /build": neverAnswers });
	const failure = new ContextError("cannot read src/a.c");
	const body = new PassThrough();
	body.write("half of it");
	setImmediate(() => body.destroy(failure));
	await assert.rejects(build(engine, body), failure);
});

for (const [what, route, error] of [
	[
		"another protocol",
		speaksSsh,
		{
			name: "EngineError",
			message:
				"ssh://x86box answered GET /_ping with something that is not HTTP: is that a Docker daemon?",
		},
	],
	[
		"another web server",
		answers({ hello: "world" }),
		{
			name: "EngineError",
			message: "ssh://x86box answered GET /_ping without an API version: is that a Docker daemon?",
		},
	],
	[
		"a refusal",
		refuses(403, "forbidden by policy"),
		{
			name: "EngineError",
			message: "ssh://x86box refused GET /_ping: forbidden by policy (HTTP 403)",
		},
	],
	[
		"nothing",
		hangsUp,
		{
			name: "ConnectionError",
			failure: "lost",
			message: "ssh://x86box closed the connection without an answer to GET /_ping",
		},
	],
] satisfies [string, Route, object][]) {
	test(`a greeting that is answered with ${what} says what was found there`, async (context) => {
		const daemon = await fakeDaemon(context, { "GET /_ping": route });
		await assert.rejects(connectEngine(transportTo(daemon), signal), error);
	});
}

test("a version document that is none is no Docker daemon's", async (context) => {
	const daemon = await fakeDaemon(context, { "GET /version": answers(["28.5"]) });
	await assert.rejects(connectEngine(transportTo(daemon), signal), {
		name: "EngineError",
		message: "ssh://x86box answered GET /version without its version: is that a Docker daemon?",
	});
});

test("a transport's failure to open a stream comes through as it is", async () => {
	const failure = new ConnectionError("socket-permission", "no permission");
	const transport: Transport = {
		...unixTransport("/nowhere"),
		open: () => Promise.reject(failure),
	};
	await assert.rejects(connectEngine(transport, signal), failure);
});

test("an answer that does not begin, or does not go on, is waited for no longer than it was said", async (context) => {
	const daemon = await fakeDaemon(context, {
		"GET /never": neverAnswers,
		"GET /stalls": (_, response) => void response.writeHead(200).write("{"),
		"GET /refuses": (_, response) => void response.writeHead(500).write("{"),
	});
	const http = HttpConnection.over(transportTo(daemon));
	context.after(() => http.close());
	const text = async (path: string) => {
		const { body } = await http.answer({ method: "GET", path, signal }, path, 50);
		for await (const _ of body);
	};
	for (const [path, how] of [
		["/never", "does not answer"],
		["/stalls", "does not end its answer to"],
	] as const) {
		await assert.rejects(text(path), {
			name: "ConnectionError",
			failure: "timed-out",
			message: `ssh://x86box ${how} GET ${path}`,
		});
	}
	await assert.rejects(text("/refuses"), { name: "EngineError", status: 500 });
});

test("an answer that stops short is a lost connection", async (context) => {
	const { engine } = await connected(context, {
		"GET /info": truncates('{"a":'),
		"POST /build": closesAfter({ stream: "Step 1" }),
	});
	await assert.rejects(engine.json({ method: "GET", path: "/info", signal }), {
		name: "ConnectionError",
		failure: "lost",
	});
	for (const context of [undefined, Readable.from([Buffer.from("tar")])]) {
		const seen: unknown[] = [];
		await assert.rejects(
			async () => {
				const request = { method: "POST", path: "/build", signal } as const;
				const { body } = await engine.request(context ? { ...request, body: context } : request);
				for await (const line of readJsonLines(body)) seen.push(line);
			},
			{
				name: "ConnectionError",
				failure: "lost",
				message: "ssh://x86box closed the connection in the middle of its answer to POST /build",
			},
		);
		assert.deepEqual(seen, [{ stream: "Step 1" }]);
	}
});

test("a line of 10 MB is refused, not kept in memory", async (context) => {
	const { engine } = await connected(context, { "POST /build": sendsLine(10_000_000) });
	const { body } = await engine.request({ method: "POST", path: "/build", signal });
	await assert.rejects(readJsonLines(body).next(), {
		name: "EngineError",
		message: "the daemon sent a line of more than 8 MiB",
	});
	assert.ok(body.destroyed);
});

test("a document that is not JSON is no Docker daemon's", async (context) => {
	const { engine } = await connected(context, {
		"GET /info": (_request, response) => {
			response.end("hello");
		},
	});
	await assert.rejects(engine.json({ method: "GET", path: "/info", signal }), {
		message:
			"ssh://x86box answered GET /info with something that is not JSON: is that a Docker daemon?",
	});
});

function deferred() {
	let resolve = () => {};
	const promise = new Promise<void>((done) => {
		resolve = done;
	});
	return { promise, resolve };
}

/** A route that takes a request and keeps silent, and two promises: that it came, that it is closed. */
function silence() {
	const came = deferred();
	const closed = deferred();
	const route: Route = (request, response) => {
		request.socket.once("close", () => closed.resolve());
		// An answer of which only the first bytes come, where one is waited for.
		if (request.method === "GET" && request.url?.includes("/images/get")) response.write("tar");
		came.resolve();
	};
	return { route, came: came.promise, closed: closed.promise };
}

test("an abort during the greeting closes the daemon's side", async (context) => {
	const { route, came, closed } = silence();
	const daemon = await fakeDaemon(context, { "GET /version": route });
	const abort = new AbortController();
	const connecting = connectEngine(transportTo(daemon), abort.signal);
	came.then(() => abort.abort());
	await assert.rejects(connecting, InterruptedError);
	await closed;
});

test("an abort while a context is sent lets go of the context and closes the daemon's side", async (context) => {
	const { route, came, closed } = silence();
	const { engine } = await connected(context, { "POST /build": route });
	const abort = new AbortController();
	const reason = new InterruptedError("stopped by Ctrl-C");
	const body = new PassThrough();
	body.write("half of it");
	came.then(() => abort.abort(reason));
	await assert.rejects(build(engine, body, abort.signal), reason);
	await closed;
	assert.ok(body.destroyed);
});

test("an abort while a context has nothing to send yet lets go of it", async (context) => {
	const { engine } = await connected(context);
	const abort = new AbortController();
	const body = new PassThrough();
	const building = build(engine, body, abort.signal);
	abort.abort();
	await assert.rejects(building, InterruptedError);
	assert.ok(body.destroyed);
});

test("an abort within an answer fails its body and closes the daemon's side", async (context) => {
	const { route, closed } = silence();
	const { engine } = await connected(context, { "GET /images/get": route });
	const abort = new AbortController();
	const reason = new InterruptedError("stopped by Ctrl-C");
	const request = { method: "GET", path: "/images/get", signal: abort.signal } as const;
	const { body } = await engine.request(request);
	setImmediate(() => abort.abort(reason));
	await assert.rejects(body.toArray(), reason);
	await closed;
});

test("a signal that is aborted already sends nothing", async (context) => {
	const { engine, daemon } = await connected(context);
	const before = daemon.requests.length;
	await assert.rejects(
		engine.json({ method: "GET", path: "/info", signal: AbortSignal.abort() }),
		InterruptedError,
	);
	assert.equal(daemon.requests.length, before);
});

test("dropping an answer closes its connection", async (context) => {
	let closed: Promise<unknown> | undefined;
	const { engine } = await connected(context, {
		"POST /build": (request, response) => {
			closed = once(request.socket, "close");
			response.write('{"stream":"Step 1"}\n');
		},
	});
	const { body } = await engine.request({ method: "POST", path: "/build", signal });
	for await (const _line of readJsonLines(body)) break;
	await closed;
});

/** Until no more comes: both ends of the connection are in this process. */
async function atRest(body: Readable): Promise<void> {
	let before: number;
	do {
		before = body.readableLength;
		for (let turns = 0; turns < 20; turns++) await turn();
	} while (body.readableLength > before);
}

test("a slow reader holds the daemon back", { skip: noHalfOpenPipes }, async (context) => {
	let unsent = () => 0;
	const { engine } = await connected(context, {
		"GET /images/get": (_request, response) => {
			for (let count = 0; count < 64; count++) response.write(Buffer.alloc(1024 * 1024));
			response.end();
			unsent = () => response.writableLength;
		},
	});
	const { body } = await engine.request({ method: "GET", path: "/images/get", signal });
	await atRest(body);
	assert.ok(unsent() > 32 * 1024 * 1024, `${unsent()} bytes wait on the daemon's side`);
	assert.ok(body.readableLength < 2 * 1024 * 1024, `${body.readableLength} bytes wait on ours`);
	let received = 0;
	for await (const chunk of body) received += chunk.length;
	assert.equal(received, 64 * 1024 * 1024);
});

test("a connection that is taken over carries bytes both ways", {
	skip: noHalfOpenPipes,
}, async (context) => {
	const { engine } = await connected(context, {
		"POST /session": (request, response) => {
			assert.equal(request.headers.upgrade, "h2c");
			assert.equal(request.headers["x-docker-expose-session-uuid"], "42");
			const socket = response.socket;
			socket?.write(
				"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nhello ",
			);
			socket?.on("data", (chunk) => socket.write(chunk));
			socket?.on("end", () => socket.end("."));
		},
	});
	const stream = await engine.hijack({
		method: "POST",
		path: "/session",
		protocol: "h2c",
		headers: { "X-Docker-Expose-Session-Uuid": "42" },
		signal,
	});
	stream.end("rbuild");
	assert.equal(Buffer.concat(await stream.toArray()).toString(), "hello rbuild.");
});

test("a daemon that will not hand its connection over says why", async (context) => {
	const { engine } = await connected(context, {
		"POST /session": refuses(404, "page not found"),
		"POST /grpc": (_request, response) => {
			response.end("OK");
		},
	});
	const request = { method: "POST", protocol: "h2c", signal } as const;
	await assert.rejects(engine.hijack({ ...request, path: "/session" }), {
		name: "EngineError",
		message: "ssh://x86box refused POST /session: page not found (HTTP 404)",
		status: 404,
	});
	await assert.rejects(engine.hijack({ ...request, path: "/grpc" }), {
		name: "EngineError",
		message: "ssh://x86box answered POST /grpc without switching to h2c (HTTP 200)",
	});
});

test("disposing of the engine ends what is under way and closes its streams", async (context) => {
	const { engine } = await connected(context, { "GET /events": neverAnswers });
	const pending = engine.json({ method: "GET", path: "/events", signal });
	const outcome = assert.rejects(pending, InterruptedError);
	await engine[Symbol.asyncDispose]();
	await outcome;
});
