import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import {
	type DirectoryMemory,
	openContextIndex,
} from "../../../../src/build/context-index/context-index.js";
import { IndexQuestion } from "../../../../src/build/context-index/index-question.js";
import { cacheFolder } from "../../../../src/cache-folder.js";
import { packFiles } from "../../../../src/context/content/tar-pack.js";
import type { Dating } from "../../../../src/context/dating.js";
import type { IndexParts } from "../../../../src/context/index/content-index.js";
import type { KnownIndex } from "../../../../src/context/index/context-memory.js";
import { readIndexHeader, writeIndexPart } from "../../../../src/context/index/index-part.js";
import { PathTableWriter } from "../../../../src/context/index/path-table.js";
import type { ContextSummary } from "../../../../src/context/tree/manifest.js";
import type { Environment } from "../../../../src/environment.js";
import { EngineError } from "../../../../src/errors.js";
import type { Transport } from "../../../../src/transport/transport.js";
import { emptyTree } from "../../context/trees.js";
import { type FakeRequest, fakeEngine, jsonLines, run } from "../../image/fake-engine.js";

/** A daemon that has no more than index images, and what was asked of it. */
class FakeDaemon {
	readonly requests: string[] = [];
	readonly images = new Map<
		string,
		{ id: string; labels: Record<string, string>; layer: Buffer; ageDays: number }
	>();
	refuses: RegExp = /^$/;
	#count = 0;

	readonly engine = fakeEngine((request) => this.#answer(request));

	#answer({ method, path, query = {}, body }: FakeRequest): unknown {
		const line = `${method} ${path.replace(/[0-9a-f]{64}/g, "HEX")}`;
		this.requests.push(line);
		if (this.refuses.test(line)) throw new EngineError("not allowed", { status: 403 });
		const name = /^\/images\/(.+?)(?:\/(?:json|tag))?$/.exec(path)?.[1] ?? "";
		const found = [...this.images].find(([tag, { id }]) => tag === name || id === name)?.[1];
		if (path === "/images/create") {
			const id = `sha256:${String(++this.#count).padStart(64, "0")}`;
			const labels = (query.changes as string[]).map(
				(change) => /^LABEL (\S+)="(.*)"$/.exec(change) ?? [],
			);
			const entries = labels.map(([, label, value]) => [label, value]);
			const image = { id, labels: Object.fromEntries(entries), layer: body as Buffer, ageDays: 0 };
			this.images.set(`${query.repo}:${query.tag}`, image);
			return jsonLines({ status: id });
		}
		if (path === "/images/get") {
			const image = [...this.images.values()].find(({ id }) => id === [query.names].flat()[0]);
			return Readable.from([
				packFiles([{ path: "layer.tar", content: image?.layer ?? Buffer.alloc(0) }]),
			]);
		}
		if (path === "/images/prune") return {};
		if (path === "/images/json") {
			return [...this.images].map(([tag, { id, labels, ageDays }]) => ({
				...{ Id: id, RepoTags: [tag], Labels: labels },
				Created: Date.now() / 1000 - ageDays * 24 * 3600,
			}));
		}
		if (found === undefined) throw new EngineError("no such image", { status: 404 });
		if (path.endsWith("/tag")) this.images.set(`${query.repo}:${query.tag}`, found);
		if (method === "DELETE" && !this.images.delete(name)) {
			for (const [tag, { id }] of this.images) if (id === name) this.images.delete(tag);
		}
		return { Id: found.id, Config: { Labels: found.labels } };
	}
}

function machine(test: TestContext) {
	const cache = emptyTree(test);
	const folder = join(cacheFolder(environmentOf(cache)), "context-index");
	const files = () => readdirSync(folder).map((name) => join(folder, name));
	return { cache, files };
}

function environmentOf(cache: string): Environment {
	const variables = { XDG_CACHE_HOME: cache, LOCALAPPDATA: cache };
	const { platform } = process;
	return { variables, homeDirectory: cache, platform } as unknown as Environment;
}

function questionOf(cache: string, caller = run()): IndexQuestion {
	const key = async () => ({ name: "key", digest: Buffer.alloc(32, "key") });
	return new IndexQuestion({ root: "/the/context", key }, environmentOf(cache), caller);
}

/** Opens the index, has it learn from a transfer, and tells what it knew before. */
async function transfer(
	daemon: FakeDaemon,
	cache: string,
	news: "base" | "delta" | "nothing",
): Promise<{
	known: KnownIndex | undefined;
	dating: Dating | undefined;
	sharedKey: string | undefined;
	events: readonly { type: string }[];
}> {
	let known: KnownIndex | undefined;
	let dating: Dating | undefined;
	const memory: DirectoryMemory = {
		walked: Promise.resolve({ lookedAt: Date.now() } as ContextSummary),
		dateBy: (given) => {
			dating = given;
		},
		useIndex: (index) => {
			known = index;
		},
		learn: async () => learned(known, news),
	};
	const caller = run();
	const question = questionOf(cache, caller);
	const index = await openContextIndex(daemon.engine, memory, question, caller);
	await index?.ready;
	index?.transferred();
	await index?.settled();
	await index?.succeeded();
	await index?.tidy();
	return {
		known,
		dating,
		sharedKey: index?.sharedKey,
		events: caller.events,
	};
}

function learned(
	known: KnownIndex | undefined,
	news: "base" | "delta" | "nothing",
): IndexParts | undefined {
	if (known === undefined || news === "nothing") return undefined;
	const { generation, key } = known;
	const table = new PathTableWriter([6, 6, 3, 20]).toBytes();
	const part = writeIndexPart({
		generation: Buffer.from(generation),
		key: Buffer.from(key),
		syncedAt: 1,
		table,
	});
	return news === "base" ? { base: part, delta: undefined } : { base: undefined, delta: part };
}

describe("the index of a context", () => {
	it("is stored once, and then costs one request", async (test) => {
		const daemon = new FakeDaemon();
		const { cache } = machine(test);
		const first = await transfer(daemon, cache, "base");
		assert.deepEqual(first.known?.parts, { base: undefined, delta: undefined });
		assert.equal(daemon.images.size, 1);
		daemon.requests.length = 0;
		const second = await transfer(daemon, cache, "nothing");
		assert.deepEqual(daemon.requests, ["GET /images/rbuild.local/context-index:HEX/json"]);
		assert.equal(second.sharedKey, first.sharedKey);
		assert.ok((second.known?.parts.base?.length ?? 0) > 0);
	});

	it("takes files for edited during a build where nobody here saw the end of the last one", async (test) => {
		const daemon = new FakeDaemon();
		const [one, other] = [machine(test), machine(test)];
		const built = async (cache: string, news: "base" | "delta" | "nothing") =>
			(await transfer(daemon, cache, news)).dating ?? assert.fail();
		const start = Date.now();
		const first = await built(one.cache, "base");
		assert.equal(first.from, Number.POSITIVE_INFINITY);
		const end = Date.now();
		const again = await built(one.cache, "nothing");
		assert.ok(again.from < start && again.to <= end, "its own was the last");
		assert.ok((await built(other.cache, "delta")).to >= end);
		const before = Date.now();
		const after = await built(one.cache, "nothing");
		assert.ok(after.to >= before, "another machine's was the last");
	});

	it("needs nothing removed that was not there", async (test) => {
		const daemon = new FakeDaemon();
		await transfer(daemon, machine(test).cache, "base");
		assert.deepEqual(daemon.requests, [
			"GET /images/rbuild.local/context-index:HEX/json",
			"POST /images/create",
			"GET /images/json",
		]);
	});

	it("of which nothing was stored for 90 days is removed, when the build of another one is over", async (test) => {
		const daemon = new FakeDaemon();
		const stored = (name: string, key: string, ageDays: number) => {
			const labels = { "rbuild.context-index": key };
			daemon.images.set(name, { id: name, labels, layer: Buffer.alloc(0), ageDays });
		};
		stored("old:1", "old", 91);
		stored("old:1.base", "old", 200);
		// Left by a build that was interrupted.
		daemon.images.set("<none>:<none>", {
			...{ id: "sha256:nameless", labels: { "rbuild.context-index": "old" } },
			...{ layer: Buffer.alloc(0), ageDays: 100 },
		});
		// Its base is needed for what was stored on top of it.
		stored("used:1", "used", 3);
		stored("used:1.base", "used", 200);
		await transfer(daemon, machine(test).cache, "base");
		assert.deepEqual([...daemon.images.keys()].slice(0, 2), ["used:1", "used:1.base"]);
		assert.equal(daemon.images.size, 3);
		assert.deepEqual(daemon.requests.slice(-3), [
			"DELETE /images/old:1",
			"DELETE /images/sha256:nameless",
			"DELETE /images/old:1.base",
		]);
	});

	it("is stored with nothing in it where other directories are kept beside the context", async (test) => {
		const daemon = new FakeDaemon();
		const open = async (cache: string, isKept: boolean) => {
			const walked = Promise.resolve({ lookedAt: 0 } as ContextSummary);
			const memory = { walked, dateBy() {}, useIndex() {}, learn: () => assert.fail() };
			const caller = run();
			const question = questionOf(cache, caller);
			const index = await openContextIndex(daemon.engine, memory, question, caller);
			if (isKept) index?.keep();
			await index?.settled();
			return index?.sharedKey;
		};
		const { cache } = machine(test);
		const first = await open(cache, false);
		assert.equal(daemon.images.size, 0);
		const kept = await open(cache, true);
		assert.notEqual(kept, first);
		daemon.requests.length = 0;
		assert.equal(await open(cache, true), kept);
		assert.equal(await open(machine(test).cache, true), kept);
		assert.deepEqual(
			daemon.requests.filter((line) => line.startsWith("POST")),
			[],
		);
		const { sharedKey } = await transfer(daemon, cache, "base");
		assert.equal(sharedKey, kept);
		assert.equal((await transfer(daemon, machine(test).cache, "nothing")).sharedKey, kept);
	});

	it("is asked for ahead by who would wait for it, and once", async (test) => {
		const daemon = new FakeDaemon();
		const { cache } = machine(test);
		const question = questionOf(cache);
		await question.askAhead(daemon.engine);
		assert.equal(await question.answer(daemon.engine), "none");
		assert.equal(await question.isKnown(daemon.engine), false);
		assert.equal(daemon.requests.length, 1);
		await question.answer({ ...daemon.engine, transport: { target: "again" } as Transport });
		assert.equal(daemon.requests.length, 2, "over a new connection");

		await transfer(daemon, cache, "base");
		daemon.requests.length = 0;
		const here = questionOf(cache);
		await here.askAhead(daemon.engine);
		assert.equal(await here.isKnown(daemon.engine), true);
		assert.deepEqual(daemon.requests, []);
		const elsewhere = questionOf(machine(test).cache);
		assert.equal(await elsewhere.isKnown(daemon.engine), true);
	});

	it("is found by a machine that has none, with what changed since", async (test) => {
		const daemon = new FakeDaemon();
		const [one, other] = [machine(test), machine(test)];
		const first = await transfer(daemon, one.cache, "base");
		await transfer(daemon, one.cache, "delta");
		assert.equal(daemon.images.size, 2);
		const found = await transfer(daemon, other.cache, "nothing");
		assert.equal(found.sharedKey, first.sharedKey);
		assert.ok((found.known?.parts.base?.length ?? 0) > 0);
		assert.ok((found.known?.parts.delta?.length ?? 0) > 0);
	});

	it("begins anew, under another name, where it is lost or damaged", async (test) => {
		const daemon = new FakeDaemon();
		const keys = new Set<string | undefined>();
		keys.add((await transfer(daemon, machine(test).cache, "base")).sharedKey);
		for (const image of daemon.images.values()) image.layer.fill(0, 600, 700);
		const damaged = await transfer(daemon, machine(test).cache, "base");
		assert.deepEqual(damaged.known?.parts, { base: undefined, delta: undefined });
		keys.add(damaged.sharedKey);
		daemon.images.clear();
		keys.add((await transfer(daemon, machine(test).cache, "base")).sharedKey);
		assert.equal(keys.size, 3);
	});

	it("is stored again where the daemon has lost it, and this machine has not", async (test) => {
		const daemon = new FakeDaemon();
		const { cache, files } = machine(test);
		const { sharedKey } = await transfer(daemon, cache, "base");
		await transfer(daemon, cache, "delta");
		daemon.images.clear();
		assert.equal((await transfer(daemon, cache, "nothing")).sharedKey, sharedKey);
		const found = await transfer(daemon, machine(test).cache, "nothing");
		assert.equal(found.sharedKey, sharedKey);
		assert.ok((found.known?.parts.delta?.length ?? 0) > 0);
		for (const file of files()) writeFileSync(file, readFileSync(file).subarray(0, 100));
		assert.equal((await transfer(daemon, cache, "nothing")).sharedKey, sharedKey);
	});

	it("is stored as a whole where the base was pruned", async (test) => {
		const daemon = new FakeDaemon();
		const { cache } = machine(test);
		await transfer(daemon, cache, "base");
		await transfer(daemon, cache, "delta");
		for (const name of [...daemon.images.keys()])
			if (name.endsWith(".base")) daemon.images.delete(name);
		const { events } = await transfer(daemon, cache, "delta");
		assert.deepEqual(events, []);
		assert.ok((await transfer(daemon, machine(test).cache, "nothing")).known?.parts.base);
	});

	it("goes over to that of everybody else, after one more build with its own", async (test) => {
		const daemon = new FakeDaemon();
		const [one, other] = [machine(test), machine(test)];
		const mine = await transfer(daemon, one.cache, "base");
		daemon.images.clear();
		const theirs = await transfer(daemon, other.cache, "base");
		assert.notEqual(theirs.sharedKey, mine.sharedKey);
		const between = await transfer(daemon, one.cache, "delta");
		assert.equal(between.sharedKey, mine.sharedKey);
		// It knows already when the others have seen what.
		assert.deepEqual(between.known?.generation, theirs.known?.generation);
		assert.ok(between.known?.parts.base);
		const after = await transfer(daemon, one.cache, "nothing");
		assert.equal(after.sharedKey, theirs.sharedKey);
		assert.ok(after.known?.parts.delta, "others know when it has sent what");
	});

	it("is not mixed up with another one, whatever its image says of itself", async (test) => {
		const daemon = new FakeDaemon();
		const { cache } = machine(test);
		const mine = await transfer(daemon, cache, "base");
		const [label] = [...daemon.images.values()].map(({ labels }) => labels);
		daemon.images.clear();
		await transfer(daemon, machine(test).cache, "base");
		for (const image of daemon.images.values()) Object.assign(image.labels, label);
		const known = await transfer(daemon, cache, "nothing");
		assert.equal(known.sharedKey, mine.sharedKey);
		const { generation = Buffer.alloc(0), parts } = known.known ?? {};
		const header = readIndexHeader(parts?.base ?? Buffer.alloc(0));
		assert.deepEqual(header?.generation, Buffer.from(generation));
	});

	it("is done without where the daemon refuses to be asked, and warned of where it refuses to store", async (test) => {
		const daemon = new FakeDaemon();
		daemon.refuses = /^GET/;
		const refused = await transfer(daemon, machine(test).cache, "base");
		assert.deepEqual([refused.sharedKey, refused.events], [undefined, []]);

		daemon.refuses = /^POST/;
		const { cache } = machine(test);
		const first = await transfer(daemon, cache, "base");
		assert.deepEqual(
			first.events.map(({ type }) => type),
			["warning"],
		);
		// This machine remembers it all the same.
		const second = await transfer(daemon, cache, "nothing");
		assert.equal(second.sharedKey, first.sharedKey);
		assert.ok(second.known?.parts.base);
	});
});
