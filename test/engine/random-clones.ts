import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { importImage, removeImage, tagImage } from "../../src/engine/images.js";
import type { Environment } from "../../src/environment.js";
import { InterruptedError } from "../../src/errors.js";
import { build } from "../../src/index.js";
import type { Box } from "../support/box.js";
import { imageFolder } from "../support/image-contents.js";
import { indexImages } from "../support/index-images.js";
import { Random } from "../support/random.js";
import { contentsOf, FOLDERS, RandomClone } from "../support/random-clone.js";

const signal = new AbortController().signal;

/** Seconds that each daemon is tried for; a longer run: RBUILD_TEST_SECONDS=600 npm test -- context-index */
const SECONDS = Number(process.env.RBUILD_TEST_SECONDS ?? 25);

/** The builds that ask for different parts, and what each of them puts into the image. */
const VARIANTS = [
	{ file: "Dockerfile", target: undefined, folder: "" },
	{ file: "Dockerfile", target: undefined, folder: "" },
	{ file: "Dockerfile", target: "all", folder: "" },
	{ file: "Parts", target: undefined, folder: "src" },
	{ file: "Parts", target: "some", folder: "lib" },
] as const;

/** With a folder of the clone as a context of its own, for daemons that take those. */
const NAMED_VARIANTS = [
	{ file: "Named", target: undefined, folder: "" },
	{ file: "Named", target: "part", folder: "lib" },
] as const;

type Variant = (typeof VARIANTS | typeof NAMED_VARIANTS)[number];

interface Machine {
	readonly clone: RandomClone;
	readonly cache: string;
	readonly tag: string;
}

export interface Abilities {
	/** Whether the daemon's cache is ours to prune. */
	readonly canPrune: boolean;
	readonly takesNamedContexts: boolean;
}

export function testRandomClones(open: () => Promise<Box>, abilities: Abilities): void {
	let box: Box;
	let directory: string;
	before(async () => {
		box = await open();
		directory = mkdtempSync(join(tmpdir(), "rbuild-clones-"));
	});
	after(async () => {
		rmSync(directory, { recursive: true, force: true });
		await box[Symbol.asyncDispose]();
	});

	test("makes images of just the files of the clone that was built, whatever the index says", async () => {
		const seed = Number(process.env.RBUILD_TEST_SEED ?? Date.now() % 2 ** 31);
		const story = new Story(box, directory, seed, abilities);
		try {
			const end = Date.now() + SECONDS * 1000;
			while (Date.now() < end) await story.goOn();
			assert.ok(story.builds > 0);
		} catch (error) {
			const last = story.log.slice(-60).join("\n");
			throw new Error(`RBUILD_TEST_SEED=${seed}, after ${story.builds} builds:\n${last}`, {
				cause: error,
			});
		} finally {
			await story.cleanUp();
		}
	});
}

class Story {
	readonly log: string[] = [];
	builds = 0;
	readonly #box: Box;
	readonly #random: Random;
	readonly #machines: readonly Machine[];
	readonly #directory: string;
	readonly #key: string;
	readonly #canPrune: boolean;
	readonly #variants: readonly Variant[];
	/** What the last build of each variant put into its image, as long as the index has to know of it. */
	readonly #last = new Map<string, ReturnType<typeof contentsOf>>();

	constructor(
		box: Box,
		directory: string,
		seed: number,
		{ canPrune, takesNamedContexts }: Abilities,
	) {
		this.#box = box;
		this.#directory = directory;
		this.#random = new Random(seed);
		this.#key = `clones-${seed}`;
		this.#canPrune = canPrune;
		this.#variants = takesNamedContexts ? [...VARIANTS, ...NAMED_VARIANTS] : VARIANTS;
		const past: RandomClone["past"] = [];
		this.#machines = [0, 1, 2].map((number) => {
			const root = join(directory, `clone-${number}`);
			mkdirSync(join(root, ".git"), { recursive: true });
			writeFileSync(
				join(root, ".git/config"),
				`[remote "origin"]\n\turl = git@example.com:${this.#key}.git\n`,
			);
			writeFileSync(join(root, "Dockerfile"), "FROM scratch AS all\nCOPY . /c\nFROM all\n");
			writeFileSync(
				join(root, "Parts"),
				"FROM scratch AS some\nCOPY lib /c/lib\nFROM scratch\nCOPY src /c/src\n",
			);
			writeFileSync(
				join(root, "Named"),
				"FROM scratch AS part\nCOPY --from=lib . /c/lib\nFROM part\nCOPY src /c/src\n",
			);
			for (const folder of FOLDERS) {
				mkdirSync(join(root, folder));
				writeFileSync(join(root, folder, ".keep"), "");
			}
			// Two of them are on one machine.
			const cache = join(directory, number === 2 ? "cache-2" : "cache-1");
			const clone = new RandomClone(root, this.#random, past);
			return { clone, cache, tag: `${this.#key}:${number}` };
		});
	}

	async goOn(): Promise<void> {
		const random = this.#random;
		const machine = random.pick(this.#machines);
		if (random.once(5)) {
			const other = random.pick(this.#machines);
			if (other !== machine) {
				machine.clone.becomeFreshCloneOf(other.clone);
				this.log.push(`${machine.tag} is a fresh clone of ${other.tag}`);
			}
		} else {
			for (let edits = random.below(5); edits > 0; edits--) {
				this.log.push(`${machine.tag}: ${machine.clone.change()}`);
			}
		}
		if (random.once(4)) await this.#breakSomething(machine);
		if (random.once(5)) {
			this.#last.clear();
			const machines = this.#machines.filter((one) => one === machine || random.once(2));
			// One clone may be built twice at once, too.
			const twin = { ...machine, tag: `${machine.tag}-twin` };
			const all = random.once(2) ? [...machines, twin] : machines;
			const pruned = random.once(3) ? this.#prune() : undefined;
			await Promise.all(all.map((one) => this.#build(one, random.pick(this.#variants))));
			await pruned;
			this.#last.clear();
		} else if (random.once(6)) {
			await this.#interrupt(machine);
		} else {
			const variant = random.pick(this.#variants);
			// What is cached has the times of the build that made it.
			const noCache = random.once(2);
			const contents = await this.#build(machine, variant, noCache);
			if (noCache) this.#checkTimes(`${variant.file} ${variant.target}`, contents);
			if (this.#canPrune && random.once(4)) await this.#buildTwice(machine, variant);
		}
	}

	async #build(
		{ clone, cache, tag }: Machine,
		variant: Variant,
		noCache = false,
	): Promise<ReturnType<typeof contentsOf>> {
		const { file, target } = variant;
		this.log.push(`${tag}: build ${file} ${target ?? ""} ${noCache ? "without cache" : ""}`);
		const expected = expectedContents(clone, variant);
		await this.#run({ clone, cache, tag }, variant, noCache, signal);
		this.builds += 1;
		const unpacked = mkdtempSync(join(this.#directory, "image-"));
		try {
			const input = await imageFolder(this.#box.engine, tag, "/c");
			execFileSync("tar", ["-xpf", "-", "-C", unpacked], { input });
			const actual = contentsOf(join(unpacked, "c"));
			const what = (contents: typeof actual) =>
				[...contents].map(([path, entry]) => `${path}: ${entry.what}`).sort();
			assert.deepEqual(what(actual), what(expected), tag);
			return actual;
		} finally {
			rmSync(unpacked, { recursive: true });
		}
	}

	/**
	 * A box sent every file needs none again. It begins with nothing: builds at once leave it several copies of
	 * a context, and the next one is compared with any of these.
	 */
	async #buildTwice(machine: Machine, variant: Variant): Promise<void> {
		await this.#prune();
		this.#last.clear();
		await this.#build(machine, variant);
		this.log.push(`${machine.tag}: build ${variant.file} again`);
		const { upload } = await this.#run(machine, variant, false, signal);
		assert.equal(upload?.files, 0, "files were sent that had been sent before");
	}

	#run(
		{ clone, cache, tag }: Machine,
		{ file, target }: Variant,
		noCache: boolean,
		signal: AbortSignal,
	): ReturnType<typeof build> {
		const environment: Environment = {
			variables: { XDG_CACHE_HOME: cache, DOCKER_CONFIG: "/nonexistent" },
			homeDirectory: homedir(),
			userName: "root",
			platform: "linux",
			workingDirectory: clone.root,
		};
		return build(
			{
				context: ".",
				file,
				on: `unix://${this.#box.socketPath}`,
				tags: [tag],
				transfer: "sync",
				noCache,
				...(target === undefined ? {} : { target }),
				...(file === "Named" ? { buildContexts: { lib: "lib" } } : {}),
			},
			{ environment, signal },
		);
	}

	/** A build that ends anywhere; what it leaves behind must not fool the next one. */
	async #interrupt(machine: Machine): Promise<void> {
		const milliseconds = this.#random.below(250);
		this.log.push(`${machine.tag}: a build is interrupted after ${milliseconds} ms`);
		const soon = AbortSignal.timeout(milliseconds);
		try {
			await this.#run(machine, this.#random.pick(this.#variants), true, soon);
		} catch (error) {
			if (!(error instanceof InterruptedError)) throw error;
		}
		this.#last.clear();
	}

	async #prune(): Promise<void> {
		if (!this.#canPrune) return;
		this.log.push("the cache is pruned");
		const query = { all: "1" };
		await this.#box.engine.json({ method: "POST", path: "/build/prune", query, signal });
	}

	/** What has changed must look newer than what was built from it, to make and cargo. */
	#checkTimes(variant: string, contents: ReturnType<typeof contentsOf>): void {
		const last = this.#last.get(variant);
		for (const [path, { what, seconds }] of contents) {
			const before = last?.get(path);
			if (before === undefined || !what.startsWith("file") || !before.what.startsWith("file"))
				continue;
			const content = (text: string) => text.replace(/^file \d+/, "");
			if (content(before.what) === content(what)) continue;
			assert.ok(seconds >= before.seconds, `${path}: ${before.what} to ${what} went back in time`);
		}
		this.#last.set(variant, contents);
	}

	async #breakSomething({ cache }: Machine): Promise<void> {
		const random = this.#random;
		const copies = join(cache, "rbuild");
		const old = join(this.#directory, "old-cache");
		const { engine } = this.#box;
		const image = random.pick(await this.#indexImages());
		const breakages: Record<string, () => unknown> = {
			"the local copy is lost": () => rmSync(copies, { recursive: true, force: true }),
			"the local copy is damaged": () => damageFiles(copies, random),
			"the local copy is set aside": () => {
				rmSync(old, { recursive: true, force: true });
				if (existsSync(copies)) cpSync(copies, old, { recursive: true });
			},
			"the local copy is an old one": () => {
				if (existsSync(old)) cpSync(old, copies, { recursive: true });
			},
			"the index image is lost": () => image && removeImage(engine, image, signal),
			"the index image is damaged": async () => {
				if (image === undefined) return;
				const layer = Buffer.alloc(1024);
				const label = `LABEL rbuild.context=example.com/${this.#key}:`;
				for await (const _ of importImage(engine, image, layer, [label], signal));
			},
			"the index image is set aside": () =>
				image && tagImage(engine, image, `${this.#key}:old`, signal),
			"the index image is an old one": async () => {
				if (image === undefined) return;
				await tagImage(engine, `${this.#key}:old`, image, signal).catch(() => {});
			},
			"the cache is pruned": () => this.#prune(),
		};
		const what = random.pick(Object.keys(breakages));
		this.log.push(`${what}: ${cache} ${image}`);
		await breakages[what]?.();
		this.#last.clear();
	}

	async #indexImages(): Promise<readonly string[]> {
		const context = new RegExp(`^example\\.com/${this.#key}:`);
		return (await indexImages(this.#box.engine, context)).map(([name]) => name);
	}

	async cleanUp(): Promise<void> {
		const own = this.#machines.flatMap(({ tag }) => [tag, `${tag}-twin`]);
		const tags = [...own, `${this.#key}:old`];
		for (const tag of [...tags, ...(await this.#indexImages())]) {
			await removeImage(this.#box.engine, tag, signal).catch(() => {});
		}
	}
}

/** What a build copies: all that is not ignored, or one folder. */
function expectedContents(
	clone: RandomClone,
	{ file, folder }: Variant,
): ReturnType<typeof contentsOf> {
	const isCopied = (path: string) =>
		folder === "" ? /^(?:src|lib)(?:\/|$)/.test(path) : `${path}/`.startsWith(`${folder}/`);
	// A folder with a name of its own does not go by the .dockerignore of the context.
	const isNamed = (path: string) => file === "Named" && path.startsWith("lib/");
	const isIgnored = (path: string) => clone.ignores(path) && !isNamed(path);
	const copied = [...contentsOf(clone.root)].filter(([path]) => isCopied(path) && !isIgnored(path));
	return new Map(copied);
}

function damageFiles(folder: string, random: Random): void {
	if (!existsSync(folder)) return;
	for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
		const file = join(folder, name);
		if (!statSync(file).isFile()) continue;
		const content = readFileSync(file);
		const damaged = random.once(2) ? content.subarray(0, random.below(content.length)) : content;
		const at = random.below(content.length);
		if (at < damaged.length) damaged[at] = (damaged[at] as number) ^ (1 << random.below(8));
		writeFileSync(file, damaged);
	}
}
