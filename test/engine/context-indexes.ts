import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
	cpSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { importImage, inspectImage, removeImage } from "../../src/engine/images.js";
import type { Environment } from "../../src/environment.js";
import { BuildFailedError } from "../../src/errors.js";
import type { BuildEvent, UploadEvent } from "../../src/events.js";
import { type BuildOptions, build } from "../../src/index.js";
import { BASE_IMAGE } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { imageFile, imageFolder } from "../support/image-contents.js";
import { indexImages } from "../support/index-images.js";
import type { Abilities } from "./random-clones.js";

const signal = new AbortController().signal;

/** What clones of one repository share, and what they do not. */
export function testContextIndex(
	open: () => Promise<Box>,
	{ takesNamedContexts }: Pick<Abilities, "takesNamedContexts">,
): void {
	let box: Box;
	let directory: string;
	let repository: string;
	const tag = `index-${randomBytes(4).toString("hex")}`;

	before(async () => {
		box = await open();
		directory = mkdtempSync(join(tmpdir(), "rbuild-index-"));
	});
	after(async () => {
		for (const image of [tag, ...(await stored(/^(?:example\.com\/)?index-/))]) {
			await removeImage(box.engine, image, signal).catch(() => {});
		}
		rmSync(directory, { recursive: true, force: true });
		await box[Symbol.asyncDispose]();
	});

	async function stored(context: RegExp): Promise<readonly string[]> {
		return (await indexImages(box.engine, context)).map(([name]) => name);
	}

	/** A clone of a repository that nobody has built before. */
	function clone(files: Readonly<Record<string, string>>): string {
		repository = `index-${randomBytes(4).toString("hex")}`;
		const root = mkdtempSync(join(directory, "clone-"));
		execFileSync("sh", ["-c", "mkdir .git; cat > .git/config"], {
			cwd: root,
			input: `[remote "origin"]\n\turl = https://token@example.com/${repository}.git\n`,
		});
		write(root, ".dockerignore", ".git\n");
		for (const [name, content] of Object.entries(files)) write(root, name, content);
		return root;
	}

	/** The same content, with other times. */
	function cloneAgain(root: string): string {
		const copy = mkdtempSync(join(directory, "clone-"));
		cpSync(root, copy, { recursive: true, preserveTimestamps: false });
		return copy;
	}

	/** Builds on a machine that has built nothing, unless it is named, and tells what was sent of the context. */
	async function upload(
		root: string,
		options: Partial<BuildOptions> = {},
		machine: string = randomBytes(4).toString("hex"),
		onEvent: (event: BuildEvent) => void = () => {},
	): Promise<UploadEvent & { readonly warnings: readonly BuildEvent[] }> {
		const events: BuildEvent[] = [];
		const environment: Environment = {
			variables: { XDG_CACHE_HOME: join(directory, machine), DOCKER_CONFIG: "/nonexistent" },
			homeDirectory: homedir(),
			userName: "root",
			platform: "linux",
			workingDirectory: root,
		};
		const on = `unix://${box.socketPath}`;
		await build(
			{ context: ".", on, tags: [tag], transfer: "sync", ...options },
			{
				environment,
				onEvent(event) {
					events.push(event);
					onEvent(event);
				},
			},
		);
		const done = events.find((event) => event.type === "upload" && event.status === "done");
		return {
			...((done as UploadEvent | undefined) ?? assert.fail("nothing was uploaded")),
			warnings: events.filter(({ type }) => type === "warning"),
		};
	}

	const dockerfile = `FROM ${BASE_IMAGE}\nCOPY . /c\n`;

	test("sends nothing from a fresh clone, and one file from one in which one file is changed", async () => {
		const files = Array.from({ length: 200 }, (_, at) => [`src/${at}`, `${at}`.padEnd(5000, "x")]);
		const root = clone({ ...Object.fromEntries(files), Dockerfile: dockerfile });
		const total = 200 * 5000;
		const first = await upload(root);
		assert.ok(first.bytes > total);

		const again = cloneAgain(root);
		const second = await upload(again);
		assert.equal(second.bytes, 0);
		assert.ok(second.sentBytes < 0.03 * total, `${second.sentBytes} bytes`);

		write(again, "src/7", "changed");
		const third = await upload(again);
		assert.equal(third.bytes, 7);
		assert.equal(await imageFile(box.engine, tag, "/c/src/7"), "changed");
		// And what is changed back is another change.
		const fourth = await upload(cloneAgain(root));
		assert.equal(fourth.bytes, 5000);
		assert.deepEqual(
			[first, second, third, fourth].flatMap(({ warnings }) => warnings),
			[],
		);
	});

	test("stores nothing when nothing has changed, and little when little has", async () => {
		const names = Array.from({ length: 600 }, (_, at) => [`src/${at}`, `${at}`]);
		const root = clone({ ...Object.fromEntries(names), Dockerfile: dockerfile });
		const images = async () => {
			const names = await stored(new RegExp(`/${repository}:`));
			return Promise.all(names.map((name) => inspectImage(box.engine, name, signal)));
		};
		await upload(root, {}, "one");
		const before = await images();
		assert.equal(before.length, 1);
		await upload(root, {}, "one");
		await upload(cloneAgain(root), {}, "other");
		assert.deepEqual(await images(), before);

		write(root, "src/7", "changed");
		await upload(root, {}, "one");
		const [base, delta] = (await images()).sort((a, b) => b.size - a.size);
		assert.equal(base?.id, before[0]?.id);
		assert.ok((delta?.size ?? 0) < 0.05 * (base?.size ?? 0), `${delta?.size} of ${base?.size}`);
		// Who has the base needs only the rest; who has nothing takes both.
		for (const machine of ["other", "third"]) {
			assert.equal((await upload(cloneAgain(root), {}, machine)).bytes, 0, machine);
		}
	});

	test("remembers what was sent for a build that failed afterwards", async () => {
		const root = clone({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /c\nRUN false\n`,
			file: "content",
		});
		await assert.rejects(upload(root), BuildFailedError);
		write(root, "Dockerfile", dockerfile);
		const { bytes } = await upload(cloneAgain(root));
		// The Dockerfile is also a part of the context, and new.
		assert.equal(bytes, dockerfile.length);
	});

	test("keeps builds apart that ask for other parts of the context", async () => {
		const text = `FROM ${BASE_IMAGE} AS a\nCOPY a /c\nFROM ${BASE_IMAGE} AS b\nCOPY b /c\n`;
		const root = clone({ Dockerfile: text, a: "a".repeat(1000), b: "b".repeat(1000) });
		for (const target of ["a", "b"]) {
			assert.ok((await upload(root, { target })).bytes >= 1000);
		}
		for (const target of ["a", "b"]) {
			assert.equal((await upload(root, { target })).bytes, 0);
		}
	});

	test("goes by the name that it is given, and by the path and the times without an index", async () => {
		const root = clone({ Dockerfile: dockerfile, file: "x".repeat(1000) });
		const other = cloneAgain(root);
		rmSync(join(other, ".git"), { recursive: true });
		await upload(root, { contextKey: `index-${repository}` });
		assert.equal((await upload(other, { contextKey: `index-${repository}` })).bytes, 0);
		assert.equal((await stored(new RegExp(`^index-${repository}$`))).length, 1);

		const plain = { contextIndex: false };
		assert.ok((await upload(root, plain, "here")).bytes >= 1000);
		assert.equal((await upload(root, plain, "here")).bytes, 0);
		assert.ok((await upload(cloneAgain(root), plain, "here")).bytes >= 1000);
		// On another machine, that path may be another project with the same times.
		assert.ok((await upload(root, plain, "there")).bytes >= 1000);
		assert.deepEqual(await stored(new RegExp(`/${repository}:`)), []);
	});

	test("dates a file from when its content was first seen, and never before what was built from another", async () => {
		const root = clone({ Dockerfile: dockerfile, kept: "1", edited: "1", restored: "1" });
		const long = 1_500_000_000;
		for (const name of ["kept", "edited", "restored"]) utimesSync(join(root, name), long, long);
		await upload(root);
		const now = Math.floor(Date.now() / 1000);
		const again = cloneAgain(root);
		write(again, "edited", "2");
		utimesSync(join(again, "edited"), now + 100, now + 100);
		write(again, "restored", "2");
		utimesSync(join(again, "restored"), long - 100, long - 100);
		await upload(again, { noCache: true });
		const times = imageTimes(await imageFolder(box.engine, tag, "/c"));
		assert.equal(times.get("c/kept"), long);
		assert.equal(times.get("c/edited"), now + 100);
		assert.ok((times.get("c/restored") ?? 0) >= now, `${times.get("c/restored")}`);
	});

	for (const transfer of ["sync", "tar"] as const) {
		test(`has a tool in a cache mount see what is edited while a build runs, by a ${transfer}`, async () => {
			// In all contents, as what was copied or run before comes out of the build cache, with its times.
			const id = randomBytes(4).toString("hex");
			const cache = `--mount=type=cache,id=${id},target=/cache`;
			// As make does, and slowly; busybox compares whole seconds.
			const rule = "[ -e /cache/made ] && ! [ /c/source -nt /cache/made ] && exit";
			const make = `sh -c '${rule}; cp /c/source /copy; sleep 1; cat /copy > /cache/made; sleep 1'`;
			const lines = [`FROM ${BASE_IMAGE} AS made`, "COPY source /c/", `RUN ${cache} ${make}`];
			const text = [...lines, `RUN ${cache} cp /cache/made /made`, "FROM made", ""].join("\n");
			const root = clone({ Dockerfile: text, source: `one ${id}` });
			const whenMaking = (event: BuildEvent) => {
				if (event.type === "step" && event.status === "started" && event.name.includes("sleep")) {
					write(root, "source", `two ${id}`);
				}
			};
			// For another target, the daemon keeps another copy of the context, and shares the cache.
			await upload(root, { transfer, target: "made" }, "here", whenMaking);
			assert.equal(await imageFile(box.engine, tag, "/made"), `one ${id}`);
			await upload(root, { transfer }, "here");
			assert.equal(await imageFile(box.engine, tag, "/made"), `two ${id}`);
			// And what was edited later is dated when it was.
			const edited = Math.ceil(Date.now() / 1000) + 1;
			write(root, "source", `three ${id}`);
			utimesSync(join(root, "source"), edited, edited);
			await upload(root, { transfer }, "here");
			assert.equal(await imageFile(box.engine, tag, "/made"), `three ${id}`);
			const times = imageTimes(await imageFolder(box.engine, tag, "/c"));
			assert.equal(times.get("c/source"), edited);
		});
	}

	test("goes by what one machine knows where the daemon's index cannot be read, for all that build later", async () => {
		const root = clone({ Dockerfile: dockerfile, edited: "1" });
		const long = 1_500_000_000;
		utimesSync(join(root, "edited"), long, long);
		await upload(root, {}, "knowing");
		await damageIndex();
		const now = Math.floor(Date.now() / 1000);
		write(root, "edited", "2");
		await upload(root, { noCache: true }, "knowing");
		const again = cloneAgain(root);
		write(again, "edited", "3");
		utimesSync(join(again, "edited"), long, long);
		await upload(again, { noCache: true });
		const times = imageTimes(await imageFolder(box.engine, tag, "/c"));
		assert.ok((times.get("c/edited") ?? 0) >= now, `${times.get("c/edited")}`);
	});

	if (takesNamedContexts) {
		test("knows named directories from a fresh clone, too", async () => {
			const text = `FROM ${BASE_IMAGE}\nCOPY --from=lib . /lib\nCOPY src /src\n`;
			const files = { "src/a": "a".repeat(1000), "lib/b": "b".repeat(2000), "lib/c": "c" };
			const root = clone({ Dockerfile: text, ...files });
			const named = { buildContexts: { lib: "lib" } };
			assert.ok((await upload(root, named)).bytes >= 3001);
			const again = cloneAgain(root);
			assert.equal((await upload(again, named)).bytes, 0);
			write(again, "lib/c", "changed");
			assert.equal((await upload(again, named)).bytes, 7);
			assert.equal(await imageFile(box.engine, tag, "/lib/c"), "changed");
			assert.equal((await upload(cloneAgain(root), named)).bytes, 1);
			assert.equal(await imageFile(box.engine, tag, "/lib/c"), "c");
		});

		test("knows named directories where nothing is taken of the build context", async () => {
			const text = `FROM ${BASE_IMAGE}\nCOPY --from=lib b /\n`;
			const root = clone({ Dockerfile: text, "lib/b": "b".repeat(2000) });
			const named = { buildContexts: { lib: "lib" } };
			assert.equal((await upload(root, named)).bytes, 2000);
			assert.equal((await upload(cloneAgain(root), named)).bytes, 0);
			write(root, "lib/b", "changed");
			assert.equal((await upload(cloneAgain(root), named)).bytes, 7);
		});

		test("keeps named directories of builds at the same time apart", async () => {
			const text = `FROM ${BASE_IMAGE}\nCOPY --from=lib . /lib\nRUN sleep 1\n`;
			const root = clone({ Dockerfile: text, "lib/b": "one" });
			const other = cloneAgain(root);
			write(other, "lib/b", "two");
			const named = { buildContexts: { lib: "lib" }, noCache: true, network: "none" };
			const tags = [`${tag}-one`, `${tag}-two`];
			await upload(root, named);
			const both = [root, other].map((root, at) =>
				upload(root, { ...named, tags: [tags[at] ?? ""] }),
			);
			await Promise.all(both);
			const contents = tags.map((name) => imageFile(box.engine, name, "/lib/b"));
			assert.deepEqual(await Promise.all(contents), ["one", "two"]);
			for (const name of tags) await removeImage(box.engine, name, signal);
		});

		test("knows named directories by the key that was given", async () => {
			const text = `FROM ${BASE_IMAGE}\nCOPY --from=lib b /\n`;
			const root = clone({ Dockerfile: text, "lib/b": "b".repeat(2000) });
			const named = { buildContexts: { lib: "lib" }, contextKey: `index-${repository}` };
			await upload(root, named);
			const other = cloneAgain(root);
			rmSync(join(other, ".git"), { recursive: true });
			assert.equal((await upload(other, named)).bytes, 0);
		});
	}

	/** Puts an image of nothing in its place. */
	async function damageIndex(): Promise<void> {
		const [image = assert.fail("there is no index")] = await stored(new RegExp(`/${repository}:`));
		const label = `LABEL rbuild.context=example.com/${repository}:`;
		for await (const _ of importImage(box.engine, image, Buffer.alloc(1024), [label], signal));
	}

	/** In seconds since 1970, by path. */
	function imageTimes(tar: Buffer): ReadonlyMap<string, number> {
		const unpacked = mkdtempSync(join(directory, "image-"));
		execFileSync("tar", ["-xpf", "-", "-C", unpacked, "--warning=no-timestamp"], { input: tar });
		const names = readdirSync(join(unpacked, "c"));
		return new Map(
			names.map((name) => [`c/${name}`, statSync(join(unpacked, "c", name)).mtimeMs / 1000]),
		);
	}
}

function write(root: string, name: string, content: string): void {
	mkdirSync(dirname(join(root, name)), { recursive: true });
	writeFileSync(join(root, name), content);
}
