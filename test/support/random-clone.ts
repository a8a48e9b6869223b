import { createHash } from "node:crypto";
import {
	chmodSync,
	existsSync,
	linkSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	renameSync,
	rmSync,
	type Stats,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Random } from "./random.js";

/** With a letter in both of its forms, and two names that go one way as strings and the other as bytes. */
const NAMES = ["a", "b", "b.c", "b-c", "é", "e\u0301", "\uff5e", "\u{1f40b}", " b\\\n"];
/** Where everything is that changes; these stay. */
export const FOLDERS = ["src", "lib"];
const FIXED_TIMES = [0, 1_000_000_000, 1_600_000_000.5, 1_600_000_000.25];
const MODES = [0o644, 0o755, 0o600, 0o444];

/** What is never built. */
const NEVER = ".git\nDockerfile\nParts\nNamed\n.dockerignore\n";
/** What a .dockerignore may leave out besides, and which paths that fits. */
const IGNORED = [
	{ rules: "", fits: /^$/ },
	{ rules: "src/b\n", fits: /^src\/b(?:\/|$)/ },
	{ rules: "**/b.c\n", fits: /\/b\.c(?:\/|$)/ },
	{ rules: "lib/*\n!lib/a\n", fits: /^lib\/(?!a(?:\/|$))/ },
] as const;

/** A work tree that is edited at random, in the ways that are known to fool who goes by size and time. */
export class RandomClone {
	readonly root: string;
	readonly #random: Random;
	/** What files were before: to be put back with its time. */
	readonly #past: { path: string; content: Buffer; time: number }[];
	#ignored: (typeof IGNORED)[number] = IGNORED[0];

	/** @param past shared by all clones */
	constructor(root: string, random: Random, past: RandomClone["past"]) {
		this.root = root;
		this.#random = random;
		this.#past = past;
		this.ignore(IGNORED[0]);
	}

	get past() {
		return this.#past;
	}

	/** Whether its .dockerignore leaves out what is in one of the FOLDERS. */
	ignores(path: string): boolean {
		return this.#ignored.fits.test(path);
	}

	ignore(ignored: (typeof IGNORED)[number]): void {
		this.#ignored = ignored;
		writeFileSync(join(this.root, ".dockerignore"), NEVER + ignored.rules);
	}

	/** Makes one change, or none where it does not fit. */
	change(): string {
		const edits = Object.keys(EDITS) as (keyof typeof EDITS)[];
		const edit = this.#random.pick(edits);
		const path = this.#path();
		EDITS[edit](this, path, this.#random);
		return `${edit} ${path}`;
	}

	/** As `git clone` would: the same content, with the times of now. */
	becomeFreshCloneOf(other: RandomClone): void {
		for (const folder of FOLDERS) {
			rmSync(join(this.root, folder), { recursive: true, force: true });
			copyTree(join(other.root, folder), join(this.root, folder));
		}
	}

	/** A place where there need not be anything. */
	#path(): string {
		const depth = 1 + this.#random.below(3);
		const names = Array.from({ length: depth }, () => this.#random.pick(NAMES));
		return join(this.#random.pick(FOLDERS), ...names);
	}

	/** Any file that is there. */
	file(): string | undefined {
		const files = FOLDERS.flatMap((folder) => filesOf(this.root, folder));
		return files.length === 0 ? undefined : this.#random.pick(files);
	}

	remember(path: string): void {
		const full = join(this.root, path);
		const stats = look(full);
		if (!stats?.isFile()) return;
		this.#past.push({ path, content: readFileSync(full), time: stats.mtimeMs / 1000 });
	}

	write(path: string, content: Uint8Array): void {
		this.remember(path);
		const full = join(this.root, path);
		for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
			const stats = look(join(this.root, parent));
			if (stats !== undefined && !stats.isDirectory()) rmSync(join(this.root, parent));
		}
		mkdirSync(dirname(full), { recursive: true });
		rmSync(full, { recursive: true, force: true });
		writeFileSync(full, content);
		const now = timeOfNow();
		utimesSync(full, now, now);
	}
}

/** In seconds, to a 64th: what is finer comes back from utimes() as another time. */
function timeOfNow(): number {
	return Math.floor((Date.now() * 64) / 1000) / 64;
}

/** Undefined also where a file is in the place of a folder above it. */
function look(path: string): Stats | undefined {
	return existsSync(dirname(path)) && statSync(dirname(path)).isDirectory()
		? lstatSync(path, { throwIfNoEntry: false })
		: undefined;
}

type Edit = (clone: RandomClone, path: string, random: Random) => void;

const EDITS = {
	write: (clone, path, random) => clone.write(path, someContent(random)),
	"write again": (clone, path, random) => clone.write(path, someContent(random)),
	"edit in place, keeping size and time": (clone, _path, random) => {
		const path = clone.file();
		if (path === undefined) return;
		clone.remember(path);
		const full = join(clone.root, path);
		const { mtimeMs, size } = statSync(full);
		writeFileSync(full, Buffer.alloc(size, random.pick(["x", "y", "z"])), { flag: "r+" });
		utimesSync(full, mtimeMs / 1000, mtimeMs / 1000);
	},
	"replace by another of the same size and time": (clone, _path, random) => {
		const path = clone.file();
		if (path === undefined) return;
		const full = join(clone.root, path);
		const { mtimeMs, size } = statSync(full);
		clone.write(path, Buffer.alloc(size, random.pick(["x", "y", "z"])));
		utimesSync(full, mtimeMs / 1000, mtimeMs / 1000);
	},
	"edit, with a time that was set": (clone, path, random) => {
		const time = random.pick(FIXED_TIMES);
		clone.write(path, someContent(random));
		utimesSync(join(clone.root, path), time, time);
	},
	touch: (clone, _path, random) => {
		const path = clone.file();
		const time = random.once(2) ? timeOfNow() : random.pick(FIXED_TIMES);
		if (path !== undefined) utimesSync(join(clone.root, path), time, time);
	},
	"put back, with its time": (clone, _path, random) => {
		if (clone.past.length === 0) return;
		const { path, content, time } = random.pick(clone.past);
		clone.write(path, content);
		utimesSync(join(clone.root, path), time, time);
	},
	"put back, with the time of now": (clone, _path, random) => {
		if (clone.past.length === 0) return;
		const { path, content } = random.pick(clone.past);
		clone.write(path, content);
	},
	rename: (clone, path, _random) => {
		const from = clone.file();
		if (from === undefined || from === path) return;
		const full = join(clone.root, path);
		if (existsSync(full) || !existsSync(dirname(full))) return;
		if (!statSync(dirname(full)).isDirectory()) return;
		renameSync(join(clone.root, from), full);
	},
	swap: (clone, _path, _random) => {
		const [one, other] = [clone.file(), clone.file()];
		if (one === undefined || other === undefined || one === other) return;
		const [a, b, free] = [join(clone.root, one), join(clone.root, other), join(clone.root, "free")];
		renameSync(a, free);
		renameSync(b, a);
		renameSync(free, b);
	},
	remove: (clone, path, _random) => {
		if (look(join(clone.root, path))) rmSync(join(clone.root, path), { recursive: true });
	},
	"make a folder": (clone, path, _random) => {
		const full = join(clone.root, path);
		const stats = look(full);
		if (stats === undefined || stats.isDirectory()) return;
		rmSync(full);
		mkdirSync(full);
	},
	"make a link": (clone, path, random) => {
		clone.write(path, Buffer.from("x"));
		rmSync(join(clone.root, path));
		symlinkSync(random.pick(["a", "b", "../a"]), join(clone.root, path));
	},
	"give it another name": (clone, path, _random) => {
		const file = clone.file();
		if (file === undefined || file === path) return;
		clone.write(path, Buffer.from("x"));
		if (!look(join(clone.root, file))?.isFile()) return;
		rmSync(join(clone.root, path));
		linkSync(join(clone.root, file), join(clone.root, path));
	},
	"change the mode": (clone, _path, random) => {
		const path = clone.file();
		if (path !== undefined) chmodSync(join(clone.root, path), random.pick(MODES));
	},
	"ignore something else": (clone, _path, random) => clone.ignore(random.pick(IGNORED)),
} as const satisfies Record<string, Edit>;

/** Few sizes, so that they are often the same. */
function someContent(random: Random): Buffer {
	return Buffer.alloc(random.below(4) * 3, random.pick(["x", "y", "z", "xyz", "zyx"]));
}

/** What is in a folder, by path: type, permissions and content, and the time of files in seconds. */
export function contentsOf(root: string): Map<string, { what: string; seconds: number }> {
	const contents = new Map<string, { what: string; seconds: number }>();
	const visit = (folder: string) => {
		for (const name of readdirSync(join(root, folder)).sort()) {
			const path = join(folder, name);
			const full = join(root, path);
			const stats = lstatSync(full);
			const mode = (stats.mode & 0o7777).toString(8);
			const seconds = Math.floor(stats.mtimeMs / 1000);
			if (stats.isSymbolicLink()) {
				contents.set(path, { what: `link to ${readlinkSync(full)}`, seconds: 0 });
			} else if (stats.isDirectory()) {
				contents.set(path, { what: `folder ${mode}`, seconds: 0 });
				visit(path);
			} else {
				const hash = createHash("sha256").update(readFileSync(full)).digest("hex").slice(0, 8);
				contents.set(path, { what: `file ${mode} of ${stats.size} bytes, ${hash}`, seconds });
			}
		}
	};
	visit("");
	return contents;
}

function filesOf(root: string, folder: string): readonly string[] {
	const full = join(root, folder);
	if (!existsSync(full)) return [];
	return readdirSync(full, { withFileTypes: true })
		.sort((a, b) => (a.name < b.name ? -1 : 1))
		.flatMap((entry) => {
			const path = join(folder, entry.name);
			if (entry.isDirectory()) return filesOf(root, path);
			return entry.isFile() ? [path] : [];
		});
}

function copyTree(from: string, to: string): void {
	mkdirSync(to, { recursive: true });
	if (!existsSync(from)) return;
	for (const entry of readdirSync(from, { withFileTypes: true })) {
		const [source, target] = [join(from, entry.name), join(to, entry.name)];
		if (entry.isDirectory()) copyTree(source, target);
		else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
		else {
			writeFileSync(target, readFileSync(source));
			utimesSync(target, timeOfNow(), timeOfNow());
			chmodSync(target, statSync(source).mode);
		}
	}
}
