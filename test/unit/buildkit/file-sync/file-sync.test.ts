import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
	chmodSync,
	linkSync,
	mkdirSync,
	rmSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import type { ContentChunk } from "../../../../src/context/content/content-reader.js";
import type { SelectableDirectory } from "../../../../src/context/entries/context-selection.js";
import { fileSet } from "../../../../src/context/file-set.js";
import { openDirectoryContext } from "../../../../src/context/thread/directory-context.js";
import type { ContextEntry } from "../../../../src/context/tree/manifest.js";
import { ContextError, EngineError } from "../../../../src/errors.js";
import { answerOf, frame } from "../../../support/grpc-peer.js";
import { noSymlinks, without } from "../../../support/this-system.js";
import { emptyTree, walk } from "../../context/trees.js";
import { Daemon, packet, TYPE } from "./receiver.js";

const signal = new AbortController().signal;
const HEALTH = "/grpc.health.v1.Health/Check";

interface Tree {
	readonly ignore?: string;
	/** Done to it beside the files, before anybody looks. */
	readonly prepare?: (root: string) => void;
}

/** A tree on disk, and a daemon that may ask for it. */
function offer(
	test: TestContext,
	files: Readonly<Record<string, string>>,
	{ ignore, prepare }: Tree = {},
) {
	const root = emptyTree(test);
	for (const [name, content] of Object.entries(files)) {
		mkdirSync(dirname(join(root, name)), { recursive: true });
		writeFileSync(join(root, name), content);
	}
	prepare?.(root);
	const rules = ignore === undefined ? undefined : Buffer.from(ignore);
	const context = openDirectoryContext(
		{
			root,
			keep: [],
			platform: "linux",
			...(rules ? { ignore: { content: rules, file: ".dockerignore" } } : {}),
		},
		signal,
	);
	test.after(() => context[Symbol.asyncDispose]());
	return { root, daemon: new Daemon(test, context) };
}

const paths = (stats: readonly { readonly path: string }[]) => stats.map(({ path }) => path);

describe("file sync", () => {
	it("gives the daemon every entry, and the content of every file that it asks for", {
		skip: noSymlinks,
	}, async (test) => {
		const large = "0123456789abcdef".repeat(20_000);
		const prepare = (root: string) => {
			symlinkSync("a/b", join(root, "link"));
			linkSync(join(root, "a/b"), join(root, "hard"));
			chmodSync(join(root, "a/b"), 0o4750);
			utimesSync(join(root, "large"), 0, 1_700_000_000.25);
		};
		const files = { "a/b": "small", "a-b": "", large, "z/y/x": "deep" };
		const { daemon } = offer(test, files, { prepare });
		const { stats, contents, answer, error } = await daemon.receive();
		assert.equal(error, undefined);
		assert.equal(answer.status, "0");
		assert.deepEqual(paths(stats), [
			"a",
			"a/b",
			"a-b",
			"hard",
			"large",
			"link",
			"z",
			"z/y",
			"z/y/x",
		]);
		assert.deepEqual(
			contents,
			new Map([
				["a/b", "small"],
				["a-b", ""],
				["large", large],
				["z/y/x", "deep"],
			]),
		);
		const stat = (path: string) => stats.find((one) => one.path === path) ?? assert.fail(path);
		assert.equal(stat("a/b").mode, 2 ** 23 + 0o750);
		assert.deepEqual([stat("hard").linkname, stat("hard").size], ["a/b", 5n]);
		assert.deepEqual([stat("link").linkname, stat("link").size], ["a/b", 3n]);
		assert.equal(stat("link").mode, 2 ** 27 + 0o777);
		assert.equal(stat("large").modTime, 1_700_000_000_250_000_000n);
		assert.deepEqual(daemon.sent.files, 4);
		assert.deepEqual(daemon.sent.bytes, large.length + 9);
		assert.deepEqual([daemon.sent.offeredFiles, daemon.sent.offeredBytes], [4, large.length + 9]);
		assert.deepEqual(daemon.sentFiles, [
			["a/b", 5],
			["a-b", 0],
			["large", large.length],
			["z/y/x", 4],
		]);
		assert.deepEqual(daemon.news, ["done"]);
	});

	it("sends no content that nobody asks for", async (test) => {
		const { daemon } = offer(test, { changed: "new", same: "x".repeat(100_000) });
		const { stats, contents } = await daemon.receive({}, ({ path }) => path === "changed");
		assert.deepEqual(paths(stats), ["changed", "same"]);
		assert.deepEqual([...contents], [["changed", "new"]]);
		assert.ok(daemon.sent.sentBytes < 200, String(daemon.sent.sentBytes));
	});

	it("keeps the receiver's order for any tree and any rules", async (test) => {
		const name = fc.constantFrom("a", "a-", "a.b", "a b", "é", "\u{1f600}", "\ue000", "Z");
		const file = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
		const rule = fc
			.tuple(fc.constantFrom("", "!"), fc.constantFrom("", "**/"), file, fc.constantFrom("", "/**"))
			.map((parts) => parts.join(""));
		const tree = fc.uniqueArray(file, { maxLength: 12 });
		await fc.assert(
			fc.asyncProperty(tree, fc.array(rule, { maxLength: 4 }), async (files, rules) => {
				const contents = new Map<string, string>();
				for (const path of files) {
					const clashes = files.some((other) => other.startsWith(`${path}/`));
					if (!clashes) contents.set(path, `content of ${path}`);
				}
				const { root, daemon } = offer(test, Object.fromEntries(contents), {
					ignore: rules.join("\n"),
				});
				const encoded = rules.map((one) => encodeURIComponent(one));
				const headers =
					rules.length === 0
						? {}
						: {
								"exclude-patterns": encoded,
								"exclude-patterns-encoded": "1",
							};
				const received = await daemon.receive(headers);
				const { entries } = walk(root, rules.join("\n"));
				assert.deepEqual(paths(received.stats), paths(entries));
				for (const { path, type } of entries) {
					if (type !== "file") continue;
					const content = Buffer.from(received.contents.get(path) ?? "", "latin1");
					assert.equal(content.toString(), contents.get(path));
				}
			}),
			{ numRuns: 12 },
		);
	});

	it("gives the part that was asked for, with the directories that it is in", {
		skip: noSymlinks,
	}, async (test) => {
		const files = {
			"src/a.c": "",
			"src/a.o": "",
			"src/lib/b.c": "",
			"doc/c": "",
			".dockerignore": "",
		};
		const { daemon } = offer(test, files, {
			ignore: "**/*.o",
			prepare: (root) => symlinkSync("src/lib", join(root, "current")),
		});
		const ask = async (headers: Record<string, string | string[]>) =>
			paths((await daemon.receive(headers)).stats);
		assert.deepEqual(await ask({ followpaths: ".dockerignore" }), [".dockerignore"]);
		assert.deepEqual(await ask({ followpaths: ["current/b.c", "doc"] }), [
			...["current", "doc", "doc/c", "src", "src/lib", "src/lib/b.c"],
		]);
		assert.deepEqual(await ask({ "include-patterns": "**/*.c" }), [
			...["src", "src/a.c", "src/lib", "src/lib/b.c"],
		]);
		assert.deepEqual(await ask({ followpaths: "src", "exclude-patterns": "**/*.o" }), [
			...["src", "src/a.c", "src/lib", "src/lib/b.c"],
		]);
		// What rbuild leaves out by itself, but the daemon did not exclude.
		assert.deepEqual(await ask({ followpaths: "src/a.o" }), ["src", "src/a.o"]);
	});

	it("takes more rules than node takes headers", async (test) => {
		const { daemon } = offer(test, { "file-999": "", other: "" });
		const rules = Array.from({ length: 1000 }, (_, at) => `file-${at}`);
		const { stats } = await daemon.receive({ "exclude-patterns": rules });
		assert.deepEqual(paths(stats), ["other"]);
	});

	it("lets several transfers go on side by side", async (test) => {
		const { daemon } = offer(test, { a: "a".repeat(500_000), b: "b".repeat(500_000) });
		const [one, other] = await Promise.all([
			daemon.receive({ followpaths: "a" }),
			daemon.receive({ followpaths: "b" }),
		]);
		assert.deepEqual([...one.contents.keys()], ["a"]);
		assert.equal(one.contents.get("a"), "a".repeat(500_000));
		assert.equal(other.contents.get("b"), "b".repeat(500_000));
	});
});

describe("file sync with a daemon that takes gzip", () => {
	const gzip = { "grpc-accept-encoding": "identity, gzip" };
	const text = "All work and no play makes Jack a dull boy.\n".repeat(5_000);
	const noise = randomBytes(150_000).toString("latin1");

	it("compresses what shrinks, and nothing else, and tells how much that saved", async (test) => {
		const { daemon } = offer(test, { noise, small: "no", text });
		const { contents, answer } = await daemon.receive(gzip);
		assert.equal(answer.status, "0");
		assert.deepEqual([...contents.keys()], ["noise", "small", "text"]);
		assert.equal(contents.get("text"), text);
		assert.equal(Buffer.from(contents.get("noise") ?? "", "latin1").toString(), noise);
		const { bytes, sentBytes, savedBytes } = daemon.sent;
		const { daemon: plain } = offer(test, { noise, small: "no", text });
		await plain.receive();
		assert.equal(sentBytes + savedBytes, plain.sent.sentBytes);
		assert.equal(bytes, plain.sent.bytes);
		assert.ok(savedBytes > 0.95 * text.length, String(savedBytes));
		assert.equal(plain.sent.savedBytes, 0);
	});

	it("compresses nothing for one that does not", async (test) => {
		const { daemon } = offer(test, { text });
		for (const offered of [{}, { "grpc-accept-encoding": "identity,zgzip" }]) {
			const { contents } = await daemon.receive(offered);
			assert.equal(contents.get("text"), text);
			assert.equal(daemon.sent.savedBytes, 0);
		}
	});
});

describe("file sync of what is not as it was announced", () => {
	const cases: [string, string, (file: string) => void][] = [
		["is gone", "vanished", (file) => rmSync(file)],
		["has another size", "changed", (file) => writeFileSync(file, "other")],
		["has another time", "changed", (file) => utimesSync(file, 1, 1)],
		["is shorter", "changed", (file) => truncateSync(file, 10)],
		["is a link now", "changed", (file) => replace(file, () => symlinkSync("/etc/passwd", file))],
		["is a pipe now", "changed", (file) => replace(file, () => execFileSync("mkfifo", [file]))],
		["is a directory now", "changed", (file) => replace(file, () => mkdirSync(file))],
	];
	for (const [what, word, change] of cases) {
		const reasons = { "is a pipe now": without("mkfifo"), "is a link now": noSymlinks };
		const skip = reasons[what as keyof typeof reasons] ?? false;
		it(`ends the transfer and names a file that ${what}`, { skip }, async (test) => {
			const { root, daemon } = offer(test, { file: "x".repeat(200_000) });
			const { contents, error, answer } = await daemon.receive({}, ({ path }) => {
				change(join(root, path));
				return true;
			});
			assert.match(error ?? "", new RegExp(`^file ${word} while it was being read$`));
			assert.equal(answer.status, "2");
			assert.equal(contents.size, 0);
			assert.ok(daemon.failures[0] instanceof ContextError);
			assert.deepEqual([daemon.warnings, daemon.news], [[], []]);
		});
	}

	it("does not send a file to its end that changes on the way", async (test) => {
		const content = "x".repeat(3_000_000);
		const { root, daemon } = offer(test, { file: content });
		const stream = daemon.open();
		await until(() => daemon.sent.sentBytes > 0);
		stream.write(packet({ type: TYPE.request, id: 0 }));
		await until(() => daemon.sent.bytes > 0);
		// Nobody has read anything of the answer yet, so most of the file is still to be sent.
		writeFileSync(join(root, "file"), "y".repeat(content.length));
		const { status, responses } = await answerOf(stream);
		assert.equal(status, "2");
		assert.equal(daemon.failures[0]?.message, "file changed while it was being read");
		assert.ok(responses.length > 0);
	});
});

describe("file sync with a hostile daemon", () => {
	const offered = new Map([["file", Buffer.from("content")]]);

	const refusals: [string, Buffer[], RegExp][] = [
		[
			"a file that was never offered",
			[packet({ type: TYPE.request, id: 7 })],
			/file 7, which was not/,
		],
		[
			"the same file twice",
			[packet({ type: TYPE.request, id: 0 }), packet({ type: TYPE.request, id: 0 })],
			/file 0, which was not/,
		],
		["no packet", [frame("\xff\xff\xff")], /something that is no packet/],
		["a packet of ours", [packet({ type: TYPE.data, id: 0 })], /a packet of type 2/],
	];
	for (const [what, packets, message] of refusals) {
		it(`refuses ${what}`, async (test) => {
			const daemon = new Daemon(test, fileSet(offered));
			const stream = daemon.open();
			const answer = answerOf(stream);
			await answered(daemon);
			for (const one of packets) stream.write(one);
			assert.equal((await answer).status, "2");
			assert.match((await answer).message, message);
			assert.ok(daemon.failures[0] instanceof EngineError);
			assert.match(daemon.failures[0].message, message);
			assert.deepEqual(daemon.warnings, []);
		});
	}

	it("refuses the content of what is no regular file", async (test) => {
		const prepare = (root: string) => {
			linkSync(join(root, "directory/file"), join(root, "hard"));
			symlinkSync("/etc/passwd", join(root, "link"));
		};
		const { daemon } = offer(test, { "directory/file": "x" }, { prepare });
		for (const id of [0, 2, 3]) {
			const stream = daemon.open();
			const answer = answerOf(stream);
			const before = daemon.sent;
			await until(() => daemon.sent !== before);
			stream.write(packet({ type: TYPE.request, id }));
			assert.match((await answer).message, new RegExp(`file ${id}, which was not offered`));
		}
	});

	it("refuses a directory that is not offered", async (test) => {
		const daemon = new Daemon(test, fileSet(offered));
		for (const name of ["", "/etc", "../x", "contextx"]) {
			const { status, message } = await answerOf(daemon.open({ "dir-name": name }));
			assert.equal(status, "5");
			assert.match(message, /but this build has only "context"$/);
		}
	});

	it("finds nothing outside of the directory, whatever path it is told to follow", async (test) => {
		const prepare = (root: string) => symlinkSync("/etc", join(root, "etc"));
		const { daemon } = offer(test, { file: "x" }, { prepare });
		for (const path of ["../../../etc/passwd", "/etc/passwd", "etc/passwd", "etc/../../passwd"]) {
			const { stats } = await daemon.receive({ followpaths: path });
			assert.ok(
				paths(stats).every((found) => found === "etc"),
				path,
			);
		}
		const { status } = await answerOf(
			daemon.open({ followpaths: "file%00", "followpaths-encoded": "1" }),
		);
		assert.equal(status, "3");
	});

	it("goes when the daemon says that it failed, or just goes", async (test) => {
		const daemon = new Daemon(test, fileSet(offered));
		const failing = daemon.open();
		failing.write(packet({ type: TYPE.error, data: Buffer.from("no space left") }));
		assert.equal((await answerOf(failing)).message, "no space left");
		const leaving = daemon.open();
		leaving.end();
		assert.equal((await answerOf(leaving)).status, "2");
		// The daemon tells the reason in the output of its build.
		assert.deepEqual([daemon.failures, daemon.warnings, daemon.news], [[], [], []]);
	});
});

describe("file sync of many files", () => {
	const entries = Array.from({ length: 10_000 }, (_, n): ContextEntry => {
		return { path: String(n).padStart(5, "0"), type: "file", size: 64, mode: 0, mtimeMs: 0 };
	});

	/** Of which the first file may have no end. */
	function directory({ isEndless = false } = {}) {
		let listed = 0;
		const asked: number[] = [];
		const files = {
			reads: 0,
			readsAtEndOfList: 0,
			select: async () => ({
				async list() {
					listed += 500;
					if (listed > entries.length) files.readsAtEndOfList = files.reads;
					return entries.slice(listed - 500, listed);
				},
				async read(ids: readonly number[]): Promise<ContentChunk> {
					asked.push(...ids);
					const [id] = asked;
					if (id === undefined) return { bytes: new Uint8Array(), pieces: [] };
					files.reads += 1;
					const last = !(isEndless && id === 0);
					if (last) asked.shift();
					return { bytes: new Uint8Array(64), pieces: [{ id, start: 0, end: 64, last }] };
				},
				[Symbol.dispose]() {},
			}),
		} satisfies SelectableDirectory & { reads: number; readsAtEndOfList: number };
		return files;
	}

	it("sends the first contents before the last name", async (test) => {
		const files = directory();
		const daemon = new Daemon(test, files);
		const { contents } = await daemon.receive();
		assert.equal(contents.size, entries.length);
		assert.ok(files.readsAtEndOfList > entries.length / 10, String(files.readsAtEndOfList));
	});

	it("tells of no more while the daemon is busy with what it asked for", async (test) => {
		const files = directory({ isEndless: true });
		const daemon = new Daemon(test, files);
		const stream = daemon.open();
		stream.resume();
		await until(() => daemon.sent.offeredFiles > 0);
		stream.write(packet({ type: TYPE.request, id: 0 }));
		await until(() => files.reads > 1000);
		assert.ok(daemon.sent.offeredFiles < entries.length / 2, String(daemon.sent.offeredFiles));
		stream.close();
	});
});

describe("file sync on a link that takes nothing", () => {
	it("reads no further ahead than a few chunks, and still answers health checks", async (test) => {
		const chunk = Buffer.alloc(64 * 1024);
		let reads = 0;
		const entry: ContextEntry = {
			path: "endless",
			type: "file",
			size: 2 ** 40,
			mode: 0,
			mtimeMs: 0,
		};
		let listed = false;
		const endless: SelectableDirectory = {
			select: async () => ({
				async list() {
					const entries = listed ? [] : [entry];
					listed = true;
					return entries;
				},
				async read(): Promise<ContentChunk> {
					reads += 1;
					return { bytes: chunk, pieces: [{ id: 0, start: 0, end: chunk.length, last: false }] };
				},
				[Symbol.dispose]() {},
			}),
		};
		const daemon = new Daemon(test, endless);
		const stream = daemon.open();
		await until(() => daemon.sent.sentBytes > 0);
		stream.write(packet({ type: TYPE.request, id: 0 }));
		await until(() => reads > 0);
		for (let checks = 0; checks < 50; checks++) await answered(daemon);
		assert.ok(reads < 10, `${reads} chunks were read`);
		assert.ok(daemon.sent.bytes <= 4 * chunk.length, String(daemon.sent.bytes));
		stream.close();
	});
});

function replace(file: string, make: () => void): void {
	rmSync(file);
	make();
}

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await setImmediate();
}

/** By then, the server has dealt with all that was sent to it before. */
async function answered(daemon: Daemon): Promise<void> {
	const { status } = await daemon.peer.call(HEALTH, frame(""));
	assert.equal(status, "0");
}
