import { ContextError } from "../../errors.js";
import { IgnoreRules } from "../ignore/ignore-rules.js";
import type { ContextEntry } from "../tree/manifest.js";
import { type FollowedTree, followPaths, inContext, PATHS_SOURCE } from "./follow-paths.js";

const WILDCARD = /[*?[]/;
const SPECIAL = /[*?[\\]/;
/** Not all that goes by patterns reads "\" alike, what stands in brackets, and "**" before a name. */
const UNCLEAR = /\\.*[*?[]|[*?[].*\\|\[[^\]]*(?:[*?]|\[:)|\*\*[^/]/s;
/** Where files are copied, these are themselves; in what IgnoreRules make of a pattern they mean something. */
const MISREAD = /[{|}]|(?<!\[)\^/;

/** The entries that an instruction takes. */
interface TakenEntries {
	/**
	 * By position: how many characters of the path are that of what was named, of which it is a part or
	 * the whole; 0 for what is not taken.
	 */
	readonly roots: Uint32Array;
	/** What is on the way to what was named, such as the directories that it is in. */
	readonly parents: readonly number[];
	/** Of a path that is no entry: whether it, or what may be in it, would be taken. */
	mayTake(path: string): boolean;
}

/** Finds what COPY, ADD and bind mounts take of a context, in any builder. */
export class EntryFinder {
	readonly #entries: readonly ContextEntry[];
	readonly #tree: EntryTree | undefined;
	/** Whether a name that a link holds would be taken for a pattern. */
	readonly #hasSpecialLinks: boolean;

	/** @param entries parents before children, siblings in the byte order of their names */
	constructor(entries: readonly ContextEntry[]) {
		this.#entries = entries;
		const links = entries.filter(({ type }) => type === "symlink");
		this.#tree = links.length > 0 ? new EntryTree(entries) : undefined;
		this.#hasSpecialLinks = links.some(({ path, linkname = "" }) => SPECIAL.test(path + linkname));
	}

	/**
	 * What the paths fit, all that is in there, and whatever links on the way or at the end lead to. That is
	 * no less than BuildKit asks its client for (fsutil's FollowLinks), which does not follow a link in a
	 * folder that a wildcard stands for.
	 *
	 * @param paths cleaned, relative to the context, in the encoding of path-bytes.ts; with wildcards as in
	 * Go's filepath.Match, and "**"
	 * @returns undefined for everything, which it also is where that cannot be told
	 */
	find(paths: readonly string[]): TakenEntries | undefined {
		if (this.#hasSpecialLinks || paths.some(isUnclear)) return undefined;
		try {
			return this.#find(paths);
		} catch (error) {
			// A pattern with a mistake, which some builders do not see.
			if (error instanceof ContextError) return undefined;
			throw error;
		}
	}

	#find(paths: readonly string[]): TakenEntries | undefined {
		const wanted = new Set(paths.flatMap(readings));
		for (;;) {
			const patterns = this.#follow([...wanted]);
			if (patterns === undefined) return undefined;
			const rules = readRules(patterns);
			const inWildFolders = readRules(patterns.filter(hasWildFolder));
			const taken = this.#pass(rules, parentPaths(patterns));
			const targets = this.#targets(inWildFolders).filter((path) => !wanted.has(path));
			if (targets.length === 0) return taken;
			for (const path of targets) wanted.add(path);
		}
	}

	#follow(paths: readonly string[]): readonly string[] | undefined {
		if (paths.includes("")) return undefined;
		return this.#tree === undefined ? paths : followPaths(this.#tree, paths);
	}

	/** Where links lead that are in a folder that a wildcard stands for. */
	#targets(rules: IgnoreRules): string[] {
		if (rules.rules.length === 0) return [];
		const links = this.#entries.filter(({ type }) => type === "symlink");
		return links
			.filter(({ path }) => rules.match(path, rules.root()).ignored)
			.map(({ path }) => this.#tree?.targetOf(path) ?? "");
	}

	#pass(rules: IgnoreRules, onTheWay: ReadonlySet<string>): TakenEntries {
		const roots = new Uint32Array(this.#entries.length);
		const parents: number[] = [];
		let root = "";
		for (const [position, { path }] of this.#entries.entries()) {
			if (root === "" || !path.startsWith(root)) {
				root = "";
				if (rules.match(path, rules.root()).ignored) root = `${path}/`;
			}
			if (root !== "") roots[position] = root.length - 1;
			else if (onTheWay.has(path)) parents.push(position);
		}
		return { roots, parents, mayTake: (path) => rules.mayConcern(path) };
	}
}

function isUnclear(path: string): boolean {
	return UNCLEAR.test(path) || (WILDCARD.test(path) && MISREAD.test(path));
}

/** Builders take a "\" for itself where there is no wildcard, but not in `--parents`. */
function readings(path: string): readonly string[] {
	return path.includes("\\") ? [path, path.replaceAll("\\", "\\\\")] : [path];
}

function hasWildFolder(path: string): boolean {
	return SPECIAL.test(path.slice(0, Math.max(path.lastIndexOf("/"), 0)));
}

/** Of paths as builders read them, which run on Linux. */
function readRules(patterns: readonly string[]): IgnoreRules {
	return IgnoreRules.of(patterns.map(asPattern), PATHS_SOURCE, "linux");
}

/** These rules are trimmed, and "!" means something in them. */
function asPattern(path: string): string {
	return path.replace(/^[!\s\u0085]|[\s\u0085]$/gu, "[$&]");
}

/** What the paths lead through before their first wildcard. */
function parentPaths(paths: readonly string[]): ReadonlySet<string> {
	const found = new Set<string>();
	for (const path of paths) {
		for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
			const parent = path.slice(0, end);
			if (WILDCARD.test(parent)) break;
			found.add(parent);
		}
	}
	return found;
}

/** A context as it is sent, with its links. */
class EntryTree implements FollowedTree {
	readonly #byPath: ReadonlyMap<string, ContextEntry>;
	#names: ReadonlyMap<string, string[]> | undefined;

	constructor(entries: readonly ContextEntry[]) {
		this.#byPath = new Map(entries.map((entry) => [entry.path, entry]));
	}

	look(path: string): ContextEntry | undefined {
		return this.#byPath.get(path);
	}

	linkTarget(path: string): string {
		return this.#byPath.get(path)?.linkname ?? "";
	}

	names(directory: string): readonly string[] {
		this.#names ??= namesByDirectory(this.#byPath.keys());
		return this.#names.get(directory) ?? [];
	}

	/** In the context, as a link's target is for the daemon. */
	targetOf(path: string): string {
		const target = this.linkTarget(path);
		const from = target.startsWith("/") ? "" : path.slice(0, Math.max(path.lastIndexOf("/"), 0));
		return inContext(`${from}/${target}`);
	}
}

function namesByDirectory(paths: Iterable<string>): ReadonlyMap<string, string[]> {
	const names = new Map<string, string[]>();
	for (const path of paths) {
		const slash = path.lastIndexOf("/");
		const directory = slash < 0 ? "" : path.slice(0, slash);
		const found = names.get(directory);
		const name = path.slice(slash + 1);
		if (found === undefined) names.set(directory, [name]);
		else found.push(name);
	}
	return names;
}
