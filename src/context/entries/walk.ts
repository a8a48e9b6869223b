import type { Stats } from "node:fs";
import { ContextError } from "../../errors.js";
import type { IgnoreRule, IgnoreRules, MatchState } from "../ignore/ignore-rules.js";
import { type FileState, fileState } from "../tree/file-state.js";
import type { ContextEntry, ContextManifest, EntryType, Unreadable } from "../tree/manifest.js";
import type { Found, SourceTree } from "../tree/source-tree.js";

/** Says which paths are not looked at; of a directory, nothing below it is then. */
type Hidden = Pick<ReadonlySet<string>, "has">;

/** Where the state of each file is kept, for who wants to know it again. */
type States = Pick<WeakMap<ContextEntry, FileState>, "set">;

/** Who wants to know more of a walk than its outcome. A build does not, and pays nothing for it. */
export interface WalkObserver {
	/** Comes first for every path. `parent` is the very same state where no rule fits the path itself. */
	judged(path: string, state: MatchState, parent: MatchState): void;
	/** In the order of the entries. A directory that is sent only for what is in it has no rule. */
	sent(entry: ContextEntry, rule: IgnoreRule | undefined): void;
	/** Of a directory: it is not entered. */
	leftOut(path: string, found: Found, rule: IgnoreRule | undefined): void;
}

/**
 * Finds everything that is sent. What vanishes between the listing of its directory and the look at
 * it was never there. What cannot be looked at is noted, as a build may do without it. A file is opened only
 * where it may be that it cannot be read.
 *
 * @param hidden paths that are taken as not there, because something else is sent in their place, or
 * nobody asked for them.
 * @throws ContextError for a root that cannot be read, and what changes under the walk's eyes.
 */
export function walkContext(
	tree: SourceTree,
	rules: IgnoreRules,
	hidden: Hidden,
	states?: States,
	observer?: WalkObserver,
): ContextManifest {
	return new Walk(tree, rules, hidden, states, observer).run();
}

class Walk {
	readonly #tree: SourceTree;
	readonly #rules: IgnoreRules;
	readonly #hidden: Hidden;
	readonly #states: States | undefined;
	readonly #observer: WalkObserver | undefined;

	readonly #entries: ContextEntry[] = [];
	#files = 0;
	#bytes = 0;
	readonly #unreadable: Unreadable[] = [];
	readonly #unreadableFiles: Unreadable[] = [];
	readonly #ignored = { files: 0, bytes: 0, directories: [] as string[] };

	/** Ignored directories that are being walked: sent only before something below them is. */
	readonly #withheld: ContextEntry[] = [];
	/** The path under which a file that has several names was sent first, by its identity. */
	readonly #firstNames = new Map<string, string>();

	constructor(
		tree: SourceTree,
		rules: IgnoreRules,
		hidden: Hidden,
		states: States | undefined,
		observer: WalkObserver | undefined,
	) {
		this.#tree = tree;
		this.#rules = rules;
		this.#hidden = hidden;
		this.#states = states;
		this.#observer = observer;
	}

	run(): ContextManifest {
		this.#visitAll("", this.#tree.names("") ?? [], this.#rules.root());
		return {
			root: this.#tree.root,
			entries: this.#entries,
			files: this.#files,
			bytes: this.#bytes,
			ignored: this.#ignored,
			unreadable: [...this.#unreadable, ...this.#unreadableFiles],
		};
	}

	#visitAll(directory: string, names: readonly string[], state: MatchState): void {
		for (const name of names) {
			const path = directory === "" ? name : `${directory}/${name}`;
			if (this.#hidden.has(path)) continue;
			const verdict = this.#rules.match(path, state);
			this.#observer?.judged(path, verdict, state);
			this.#visit(path, verdict);
		}
	}

	#visit(path: string, state: MatchState): void {
		const found = this.#unlessUnreadable(path, state, () => this.#tree.look(path));
		if (found === undefined) return;
		if (found.type === "directory") this.#visitDirectory(path, found.stats, state);
		else if (state.ignored) this.#leaveOut(path, found, state);
		else this.#sendFile(path, found, state);
	}

	#visitDirectory(path: string, stats: Stats, state: MatchState): void {
		const enter = !state.ignored || this.#rules.mayReincludeBelow(path, state);
		const names = enter
			? this.#unlessUnreadable(path, state, () => this.#tree.names(path))
			: undefined;
		if (names === undefined) {
			if (!state.ignored) return;
			this.#ignored.directories.push(path);
			this.#observer?.leftOut(path, { type: "directory", stats }, state.rule);
			return;
		}
		const entry = this.#entry(path, { type: "directory", stats });
		if (state.ignored) this.#withheld.push(entry);
		else this.#send(entry, state);
		this.#visitAll(path, names, state);
		if (this.#withheld.at(-1) === entry) this.#withheld.pop();
	}

	#sendFile(path: string, found: Found, state: MatchState): void {
		const entry = this.#entry(path, found);
		const hardlink = this.#firstName(path, found);
		if (found.type === "file") {
			this.#states?.set(entry, fileState(found.stats));
			const tryIt = () => this.#tree.requireReadable(path, found.stats);
			this.#unlessUnreadable(path, state, tryIt, { isEntry: true });
		}
		this.#send(hardlink === undefined ? entry : { ...entry, hardlink }, state);
		this.#files += 1;
		if (hardlink === undefined) this.#bytes += entry.size;
	}

	#send(entry: ContextEntry, state: MatchState): void {
		for (const parent of this.#withheld.length > 0 ? this.#withheld.splice(0) : NONE) {
			this.#entries.push(parent);
			this.#observer?.sent(parent, undefined);
		}
		this.#entries.push(entry);
		this.#observer?.sent(entry, state.rule);
	}

	#leaveOut(path: string, found: Found, state: MatchState): void {
		this.#ignored.files += 1;
		if (found.type === "file") this.#ignored.bytes += found.stats.size;
		this.#observer?.leftOut(path, found, state.rule);
	}

	#entry(path: string, { type, stats }: Found): ContextEntry {
		const entry = {
			path,
			type,
			size: type === "file" ? stats.size : 0,
			mode: this.#tree.permissions(stats),
			mtimeMs: stats.mtimeMs,
		};
		if (type === "symlink") return { ...entry, linkname: this.#tree.linkTarget(path) };
		if (isDevice(type)) return { ...entry, device: this.#tree.device(stats) };
		return entry;
	}

	/**
	 * The path under which this file was sent before, if it was. A symlink is sent as itself each time:
	 * it has no content to share, and BuildKit's protocol has one field for both kinds of target.
	 */
	#firstName(path: string, { type, stats }: Found): string | undefined {
		if (stats.nlink < 2 || type === "symlink") return undefined;
		const identity = this.#tree.identity(path, stats);
		const first = this.#firstNames.get(identity);
		if (first === undefined) this.#firstNames.set(identity, path);
		return first;
	}

	/** What is ignored and cannot be read does no harm. */
	#unlessUnreadable<T>(
		path: string,
		state: MatchState,
		read: () => T,
		{ isEntry = false } = {},
	): T | undefined {
		try {
			return read();
		} catch (error) {
			if (!(error instanceof ContextError)) throw error;
			const { message, hint } = error;
			const unreadable = isEntry ? this.#unreadableFiles : this.#unreadable;
			if (!state.ignored) unreadable.push({ path, isEntry, message, hint });
			return undefined;
		}
	}
}

const NONE: readonly ContextEntry[] = [];

function isDevice(type: EntryType): boolean {
	return type === "char-device" || type === "block-device";
}
