import { ContentGzip } from "../content/content-gzip.js";
import { ContentReader } from "../content/content-reader.js";
import type { ContextFilter } from "../entries/context-filter.js";
import { followPaths, PATHS_SOURCE } from "../entries/follow-paths.js";
import { selectEntries } from "../entries/select-entries.js";
import { walkContext } from "../entries/walk.js";
import { type IgnoreLine, readIgnoreFile, readPatterns } from "../ignore/ignore-file.js";
import { IgnoreRules } from "../ignore/ignore-rules.js";
import type { ContextMemory } from "../index/context-memory.js";
import type { KnownContents } from "../index/known-contents.js";
import type { FileState } from "../tree/file-state.js";
import type { ContextEntry, ContextManifest } from "../tree/manifest.js";
import { requireReadable } from "../tree/read-failure.js";
import type { SourceTree } from "../tree/source-tree.js";
import type { FromContextWorker, SelectionRequest } from "./context-messages.js";

/** Entries that go from one thread to the other in one message. */
const BATCH = 512;

/** For messages; the daemon read its rules in the .dockerignore that it was given. */
const RULES_SOURCE = "the daemon's reading of .dockerignore";

/** A walk that was made already, and the .dockerignore by which it left things out. */
interface KnownWalk extends Pick<ContextManifest, "entries" | "unreadable"> {
	readonly ignore: { readonly content: Uint8Array; readonly file: string } | undefined;
}

type SelectRequest = Extract<SelectionRequest, { readonly type: "select" }>;

interface Selection {
	readonly entries: readonly ContextEntry[];
	readonly contents: KnownContents | undefined;
	readonly reader: ContentReader;
	readonly gzip: ContentGzip;
	listed: number;
}

/** The worker's end of every ContextSelection. Blocks its thread while it answers. */
export class Selections {
	readonly #tree: SourceTree;
	readonly #known: KnownWalk | undefined;
	readonly #states: WeakMap<ContextEntry, FileState>;
	readonly #post: (answer: FromContextWorker, transfer?: ArrayBuffer[]) => void;
	readonly #selections = new Map<number, Selection>();
	readonly #memories: ReadonlyMap<number, ContextMemory>;

	/** @param memories by the numbers of their indexes */
	constructor(
		tree: SourceTree,
		known: KnownWalk | undefined,
		states: WeakMap<ContextEntry, FileState>,
		memories: ReadonlyMap<number, ContextMemory>,
		post: (answer: FromContextWorker, transfer?: ArrayBuffer[]) => void,
	) {
		this.#tree = tree;
		this.#known = known;
		this.#states = states;
		this.#memories = memories;
		this.#post = post;
	}

	/** @throws ContextError */
	handle(request: SelectionRequest): void {
		if (request.type === "select") {
			this.#select(request);
			return;
		}
		const { selection } = request;
		const selected = this.#selections.get(selection);
		if (selected === undefined) return;
		if (request.type === "list") {
			const { entries, contents, listed } = selected;
			selected.listed = Math.min(listed + BATCH, entries.length);
			const listing =
				contents?.announce(listed, selected.listed) ?? entries.slice(listed, selected.listed);
			this.#post({ type: "entries", selection, entries: listing });
		} else if (request.type === "read") {
			selected.reader.request(request.ids);
			const read = selected.reader.read(request.memory);
			const chunk = selected.gzip.compress(read, request.gzipLevel);
			this.#post({ type: "content", selection, chunk }, [chunk.bytes.buffer]);
		} else {
			selected.reader.close();
			this.#selections.delete(selection);
		}
	}

	#select({ selection, filter, index }: SelectRequest): void {
		const entries = selectContext(this.#tree, filter, this.#known, this.#states);
		const memory = index === undefined ? undefined : this.#memories.get(index);
		const contents = memory?.announce(entries, filter);
		const reader = new ContentReader(this.#tree, entries, contents);
		const gzip = new ContentGzip();
		this.#selections.set(selection, { entries, contents, reader, gzip, listed: 0 });
		this.#post({ type: "selected", selection });
	}
}

/**
 * What the filter lets through. A known walk saves another one if it went by the same rules; else as
 * much of the tree is walked as may be wanted.
 *
 * @throws ContextError also for what may be wanted and cannot be read
 */
export function selectContext(
	tree: SourceTree,
	filter: ContextFilter,
	known: KnownWalk | undefined,
	states?: WeakMap<ContextEntry, FileState>,
): readonly ContextEntry[] {
	const excluded = IgnoreRules.of(filter.excludes, RULES_SOURCE);
	const wanted = wantedOf(tree, filter);
	const unwanted = { has: (path: string) => wanted?.mayConcern(path) === false };
	const { entries, unreadable } =
		known !== undefined && leavesOutTheSame(known, filter)
			? known
			: walkContext(tree, excluded, unwanted, states);
	// The daemon may have what is in a file, and not ask for it.
	requireReadable(unreadable.filter(({ path, isEntry }) => !isEntry && !unwanted.has(path)));
	return selectEntries(entries, excluded, wanted);
}

function wantedOf(tree: SourceTree, filter: ContextFilter): IgnoreRules | undefined {
	const followed = followPaths(tree, filter.followPaths) ?? [];
	const patterns = [...filter.includes, ...followed];
	return patterns.length === 0 ? undefined : IgnoreRules.of(patterns, PATHS_SOURCE, "linux");
}

function leavesOutTheSame({ ignore }: KnownWalk, { excludes }: ContextFilter): boolean {
	const known = ignore === undefined ? [] : readIgnoreFile(ignore.content, ignore.file);
	const asked = readPatterns(excludes, RULES_SOURCE);
	const isSame = (a: IgnoreLine, b: IgnoreLine | undefined) =>
		a.pattern === b?.pattern && a.negated === b.negated;
	return known.length === asked.length && known.every((line, at) => isSame(line, asked[at]));
}
