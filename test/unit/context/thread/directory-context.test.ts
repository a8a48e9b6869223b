import assert from "node:assert/strict";
import { linkSync, mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { TarProgress } from "../../../../src/context/content/tar-reader.js";
import {
	type DirectoryContext,
	type DirectoryContextOptions,
	openDirectoryContext,
} from "../../../../src/context/thread/directory-context.js";
import { InterruptedError } from "../../../../src/errors.js";
import { noSuchNames, without } from "../../../support/this-system.js";
import { emptyTree, gnuTar, pack, walk } from "../trees.js";

const MIB = 1024 * 1024;

function open(
	test: TestContext,
	options: Partial<DirectoryContextOptions> & { root: string },
	signal = new AbortController().signal,
): DirectoryContext {
	const context = openDirectoryContext({ keep: [], platform: "linux", ...options }, signal);
	test.after(() => context[Symbol.asyncDispose]());
	return context;
}

function ignoring(text: string): Pick<DirectoryContextOptions, "ignore"> {
	return { ignore: { content: Buffer.from(text), file: ".dockerignore" } };
}

/** The times of its files, in seconds. */
async function tarTimes(context: DirectoryContext): Promise<Record<string, number>> {
	const archive = await buffer(context.tar(() => {}));
	const lines = gnuTar(archive, "--list", "--verbose", "--full-time").trim().split("\n");
	const times = lines.map((line) => {
		const [, , , date, time, name = ""] = line.split(/ +/);
		return [name, Date.parse(`${date}T${time}Z`) / 1000] as const;
	});
	return Object.fromEntries(times);
}

describe("a directory context", () => {
	it("has the summary and the tar that the walk and the packer make", {
		skip: noSuchNames,
	}, async (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "d"));
		writeFileSync(join(root, "d/large"), Buffer.alloc(2 * MIB, "abc"));
		linkSync(join(root, "d/large"), join(root, "same"));
		writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xff)]), "x");
		const openedAt = Date.now();
		const context = open(test, { root });
		const progress: TarProgress[] = [];
		const archive = await buffer(context.tar((news) => progress.push(news)));
		assert.deepEqual(archive, pack(root));
		const { entries: _entries, ...walked } = walk(root);
		const { lookedAt, ...summary } = await context.walked;
		assert.deepEqual(summary, { ...walked, noted: [], isUtf8: false });
		assert.ok(lookedAt >= openedAt && lookedAt <= Date.now());
		assert.deepEqual(progress.at(-1), { files: 3, bytes: 2 * MIB + 1 });
	});

	it("begins its tar anew when it is asked for again, however much was read", async (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "large"), Buffer.alloc(8 * MIB, "abc"));
		const context = open(test, { root });
		const first = context.tar(() => {});
		for await (const _chunk of first) break;
		const archive = await buffer(context.tar(() => {}));
		assert.ok(archive.equals(pack(root)));
		assert.ok((await buffer(context.tar(() => {}))).equals(archive));
	});

	it("gives several boxes their tars at the same time", async (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "large"), Buffer.alloc(8 * MIB, "abc"));
		const context = open(test, { root });
		const other = context.forAnotherBox();
		const tars = [context.tar(() => {}), other.tar(() => {})];
		const [one, two] = await Promise.all(tars.map((tar) => buffer(tar)));
		assert.ok(one?.equals(pack(root)));
		assert.ok(two?.equals(pack(root)));
	});

	it("dates the files of each box's tar by what is known of builds there", {
		skip: without("tar"),
	}, async (test) => {
		const root = emptyTree(test);
		for (const [name, time] of Object.entries({ old: 1_000, edited: 2_000.5, later: 3_000 })) {
			writeFileSync(join(root, name), name);
			utimesSync(join(root, name), time, time);
		}
		const context = open(test, { root });
		const other = context.forAnotherBox();
		const leadMs = 3_600_000;
		context.dateBy({ from: 1_500_000, to: 2_500_000, leadMs });
		const before = Date.now();
		const [dated, plain] = await Promise.all([context, other].map((box) => tarTimes(box)));
		assert.deepEqual(plain, { old: 1_000, edited: 2_000, later: 3_000 });
		const { edited = 0, ...others } = dated ?? {};
		assert.deepEqual(others, { old: 1_000, later: 3_000 });
		assert.ok(edited * 1000 >= before + leadMs, `${edited}`);
		assert.ok(edited * 1000 < Date.now() + leadMs + 1000, `${edited}`);
	});

	it("announces files to each box by its own index, and learns for each alone", async (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "file"), "content");
		const context = open(test, { root });
		const other = context.forAnotherBox();
		const key = Buffer.alloc(32, 1);
		const parts = { base: undefined, delta: undefined };
		const send = async (box: DirectoryContext) => {
			using selection = await box.select({ includes: [], excludes: [], followPaths: [] });
			const [file] = await selection.list();
			await selection.list();
			await selection.read([0], 0);
			return file?.modTime;
		};
		context.useIndex({ parts, generation: Buffer.alloc(16, 1), key });
		other.useIndex({ parts, generation: Buffer.alloc(16, 2), key });
		const times = [await send(context), await send(other)];
		assert.notEqual(times[0], times[1]);
		assert.ok((await context.learn())?.base);
		assert.equal(await context.learn(), undefined);
		assert.ok((await other.learn())?.base);
		assert.deepEqual([await send(context), await send(other)], times);
	});

	it("measures what is new by each box's own index, and by the one that is used now", async (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "file"), "content");
		const context = open(test, { root });
		const other = context.forAnotherBox();
		const key = Buffer.alloc(32, 1);
		const generation = Buffer.alloc(16, 1);
		const empty = { base: undefined, delta: undefined };
		context.useIndex({ parts: empty, generation, key });
		const all = { files: 1, bytes: 7 };
		const nothing = { files: 0, bytes: 0 };
		{
			using selection = await context.select({ includes: [], excludes: [], followPaths: [] });
			while ((await selection.list()).length > 0);
			await selection.read([0], 0);
		}
		const { base, delta } = (await context.learn()) ?? empty;
		context.useIndex({ parts: { base, delta }, generation, key });
		other.useIndex({ parts: empty, generation, key });
		const news = [context.measureNews(), other.measureNews()];
		assert.deepEqual(await Promise.all(news), [nothing, all]);
		other.useIndex({ parts: { base, delta }, generation, key });
		assert.deepEqual(await other.measureNews(), nothing);
	});

	it("takes back the memory of a chunk for the next one", async (test) => {
		const root = emptyTree(test);
		const content = Buffer.alloc(MIB, "content");
		writeFileSync(join(root, "large"), content);
		const context = open(test, { root });
		using selection = await context.select({ includes: [], excludes: [], followPaths: [] });
		const read: Buffer[] = [];
		let spent: ArrayBuffer | undefined;
		for (let asked = [0]; ; asked = []) {
			const { bytes, pieces } = await selection.read(asked, 0, spent);
			assert.equal(spent?.byteLength ?? 0, 0);
			if (pieces.length === 0) break;
			read.push(Buffer.from(bytes));
			spent = bytes.buffer;
		}
		assert.ok(Buffer.concat(read).equals(content));
	});

	it("makes tars of its parts, the same each time, beside that of everything", {
		skip: without("tar"),
	}, async (test) => {
		const root = emptyTree(test);
		for (const name of ["a", "b", "b/c"]) mkdirSync(join(root, name));
		for (const name of ["Dockerfile", "a/x", "a/y", "b/c/z"]) {
			writeFileSync(join(root, name), name);
		}
		const context = open(test, { root });
		const tar = async (of: Pick<DirectoryContext, "tar"> | undefined) =>
			of && gnuTar(await buffer(of.tar(() => {})), "-t");
		const one = await context.part({ paths: ["b/*"], always: ["Dockerfile"] });
		const other = await context.part({ paths: ["a/y"], always: ["none"] });
		assert.deepEqual(one?.totals(), { files: 2, bytes: 15 });
		assert.equal(await tar(one), "Dockerfile\nb/\nb/c/\nb/c/z\n");
		assert.equal(await tar(other), "a/\na/y\n");
		assert.equal(await tar(one), "Dockerfile\nb/\nb/c/\nb/c/z\n");
		assert.equal(await tar(context), gnuTar(pack(root), "-t"));
		assert.equal(await context.part({ paths: ["a", "b"], always: ["Dockerfile"] }), undefined);
	});

	it("applies the rules, but for what is kept", { skip: without("tar") }, async (test) => {
		const root = emptyTree(test);
		for (const name of ["Dockerfile", ".dockerignore", "a.log"])
			writeFileSync(join(root, name), "");
		const keep = ["Dockerfile", ".dockerignore"];
		const context = open(test, { root, keep, ...ignoring("*") });
		const archive = await buffer(context.tar(() => {}));
		assert.equal(gnuTar(archive, "-t"), ".dockerignore\nDockerfile\n");
	});

	it("sends extra files in their place in the order, and instead of those on disk", {
		skip: without("tar"),
	}, async (test) => {
		const root = emptyTree(test);
		for (const name of ["A", "Z", "Dockerfile"]) writeFileSync(join(root, name), "on disk");
		const extra = [
			{ path: "Dockerfile", content: Buffer.from("FROM scratch\n") },
			{ path: "z", content: Buffer.from("last"), mode: 0o600 },
		];
		const context = open(test, { root, extra });
		const archive = await buffer(context.tar(() => {}));
		const { files, bytes } = await context.walked;
		assert.deepEqual([files, bytes], [4, 31]);
		assert.equal(gnuTar(archive, "-t"), "A\nDockerfile\nZ\nz\n");
		assert.equal(gnuTar(archive, "-xO", "Dockerfile"), "FROM scratch\n");
		assert.equal(gnuTar(archive, "-xO", "z"), "last");
	});

	it("measures all that was left out", async (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "modules/a/b"), { recursive: true });
		writeFileSync(join(root, "modules/a/b/one"), "1234567");
		writeFileSync(join(root, "modules/two"), "12");
		writeFileSync(join(root, "x.log"), "1");
		const context = open(test, { root, ...ignoring("modules\n*.log\n") });
		assert.deepEqual((await context.walked).ignored.directories, ["modules"]);
		assert.deepEqual(await context.measureIgnored(), { files: 3, bytes: 10 });
	});

	it("answers what is asked while it measures what was left out", async (test) => {
		const root = emptyTree(test);
		for (let index = 0; index < 4_000; index++) {
			mkdirSync(join(root, `left/${index}`), { recursive: true });
		}
		const context = open(test, { root, ...ignoring("left") });
		await context.walked;
		const answers: string[] = [];
		const measuring = context.measureIgnored().then(() => answers.push("measured"));
		await context.part({ paths: [], always: [] }).then(() => answers.push("asked"));
		await measuring;
		assert.deepEqual(answers, ["asked", "measured"]);
	});

	it("holds no more than a few MB of the tar for a reader that does not come back", async (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "large"), "");
		truncateSync(join(root, "large"), 64 * MIB);
		const context = open(test, { root });
		let handedOver = 0;
		const tar = context.tar(({ bytes }) => {
			handedOver = bytes;
		});
		let measured = false;
		const measuring = context.measureIgnored().then(() => {
			measured = true;
		});
		await new Promise((resolve) => tar.once("readable", resolve));
		tar.read(0);
		while (tar.readableLength < MIB) await setImmediate();
		for (let turn = 0; turn < 1000; turn++) await setImmediate();
		assert.ok(tar.readableLength <= 2 * MIB, `${tar.readableLength} bytes are read ahead`);
		assert.ok(handedOver <= 2 * MIB);
		assert.equal(measured, false, "measuring would hold up the packing");
		let size = 0;
		for await (const chunk of tar) size += chunk.length;
		assert.equal(size, 64 * MIB + 512 + 1024);
		await measuring;
	});
});

describe("a directory context fails", () => {
	it("with the reason and the hint, in the walk and in the tar", async (test) => {
		const root = emptyTree(test);
		const context = open(test, { root, ...ignoring("ok\n!\n") });
		const tar = context.tar(() => {});
		await assert.rejects(context.walked, (error: Error & { hint?: string }) => {
			assert.equal(error.name, "ContextError");
			assert.match(error.message, /^\.dockerignore:2: /);
			assert.ok(error.hint);
			return true;
		});
		await assert.rejects(buffer(tar), { name: "ContextError" });
		await assert.rejects(buffer(open(test, { root: join(root, "none") }).tar(() => {})), {
			name: "ContextError",
			message: `the build context ${join(root, "none")} does not exist`,
		});
	});

	it("in a tar that is asked for after the failure", async (test) => {
		const context = open(test, { root: join(emptyTree(test), "none") });
		await assert.rejects(context.walked, { name: "ContextError" });
		await assert.rejects(buffer(context.tar(() => {})), { name: "ContextError" });
		await assert.rejects(context.measureIgnored(), { name: "ContextError" });
	});

	it("in the tar for a file that vanished after the walk", async (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "file"), "");
		const context = open(test, { root });
		await context.walked;
		rmSync(join(root, "file"));
		await assert.rejects(buffer(context.tar(() => {})), {
			name: "ContextError",
			message: "file vanished while it was being read",
		});
	});

	it("in the tar for a large file that changes while it is sent", async (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "large"), Buffer.alloc(16 * MIB));
		const context = open(test, { root });
		const tar = context.tar(() => {});
		await new Promise((resolve) => tar.once("readable", resolve));
		utimesSync(join(root, "large"), 1, 1);
		await assert.rejects(buffer(tar), {
			name: "ContextError",
			message: "large changed while it was being read",
		});
	});

	it("when it is interrupted, with the signal's reason", async (test) => {
		const controller = new AbortController();
		const context = open(test, { root: emptyTree(test) }, controller.signal);
		const tar = context.tar(() => {});
		const reason = new InterruptedError("Ctrl-C");
		controller.abort(reason);
		await assert.rejects(context.walked, reason);
		await assert.rejects(buffer(tar), reason);
		const late = open(test, { root: emptyTree(test) }, AbortSignal.abort());
		await assert.rejects(late.walked, { name: "InterruptedError", message: "interrupted" });
	});

	it("when it is closed before its end", async (test) => {
		const context = open(test, { root: emptyTree(test) });
		await context[Symbol.asyncDispose]();
		await assert.rejects(context.walked, { name: "InterruptedError" });
		await assert.rejects(context.measureIgnored(), { name: "InterruptedError" });
		const part = { includes: [], excludes: [], followPaths: [] };
		await assert.rejects(context.select(part), { name: "InterruptedError" });
		context.useIndex({
			...{ parts: { base: undefined, delta: undefined }, generation: Buffer.alloc(16) },
			key: Buffer.alloc(32),
		});
		await assert.rejects(context.learn(), { name: "InterruptedError" });
		await assert.rejects(context.measureNews(), { name: "InterruptedError" });
	});
});
