import { type Dating, nowOnBox } from "../dating.js";
import { type ContextFilter, isForRules } from "../entries/context-filter.js";
import type { ContextEntry } from "../tree/manifest.js";
import { comparePaths } from "../tree/path-bytes.js";
import type { SourceTree } from "../tree/source-tree.js";
import { ContentIndex, type IndexParts } from "./content-index.js";
import { ContentTimes, timeOfContent } from "./content-times.js";
import { FileHashes, type HashedFile } from "./file-hashes.js";
import {
	type FileStates,
	type FindRecorded,
	KnownContents,
	type KnownFiles,
} from "./known-contents.js";
import { linkedFiles } from "./linked-files.js";

/** What a daemon was not sent before, of regular files. */
export interface ContextNews {
	readonly files: number;
	readonly bytes: number;
}

const FEW_FILES = 64;
const FEW_BYTES = 1024 * 1024;

/** What is known of a context from earlier builds. */
export interface KnownIndex {
	readonly parts: IndexParts;
	readonly generation: Uint8Array;
	/** SHA-256 of the context key. */
	readonly key: Uint8Array;
	/** Where the hashes of the files of this very directory are kept; absent: nowhere. */
	readonly hashesFile?: string;
}

export interface RememberedWalk {
	readonly tree: SourceTree;
	readonly entries: readonly ContextEntry[];
	readonly states: FileStates;
	/** When the walk began, in milliseconds since 1970. */
	readonly lookedAt: number;
}

/** The index of one context in its worker: announces files by it, and learns from what was sent. */
export class ContextMemory {
	readonly #walk: RememberedWalk;
	readonly #hashes: FileHashes;
	readonly #dating: Dating;
	readonly #header: { readonly generation: Buffer; readonly key: Buffer };
	#parts: IndexParts;
	/** What the parts hold, as soon as somebody wants to know. */
	#read: ContentIndex | undefined;
	/** What was announced and not learned from. */
	#announced: KnownContents[] = [];

	constructor(
		walk: RememberedWalk,
		{ parts, generation, key, hashesFile }: KnownIndex,
		dating: Dating,
	) {
		this.#walk = walk;
		this.#hashes = new FileHashes(hashesFile);
		this.#dating = dating;
		this.#header = { generation: Buffer.from(generation), key: Buffer.from(key) };
		this.#parts = parts;
	}

	get #files(): KnownFiles {
		const { tree, states } = this.#walk;
		return { tree, states, hashes: this.#hashes };
	}

	get #index(): ContentIndex {
		this.#read ??= ContentIndex.read(this.#parts, this.#header);
		return this.#read;
	}

	announce(entries: readonly ContextEntry[], filter: ContextFilter): KnownContents {
		if (isForRules(filter)) {
			const linked = linkedFiles(entries, () => undefined);
			return new KnownContents(this.#files, entries, byContent, linked, this.#times());
		}
		const contents = this.#contents(entries);
		this.#announced.push(contents);
		return contents;
	}

	#contents(entries: readonly ContextEntry[]): KnownContents {
		const find = this.#index.finder();
		const linked = linkedFiles(entries, this.#index.finder());
		return new KnownContents(this.#files, entries, ({ path }) => find(path), linked, this.#times());
	}

	#times(): ContentTimes {
		return new ContentTimes(nowOnBox(this.#dating), this.#index.syncedAt, this.#dating);
	}

	/** What the index does not have, of all that would be sent. Nothing is learned from it. */
	measureNews(): ContextNews {
		const { entries } = this.#walk;
		const contents = this.#contents(entries);
		contents.announce(0, entries.length);
		let news = { files: 0, bytes: 0 };
		for (const { size } of contents.unrecorded()) {
			news = { files: news.files + 1, bytes: news.bytes + size };
		}
		return news;
	}

	/** The parts of the index that have to be stored anew; undefined if nothing is new. */
	learn(): IndexParts | undefined {
		const news = { base: undefined, delta: undefined } as {
			-readonly [Part in keyof IndexParts]: IndexParts[Part];
		};
		for (const contents of this.#announced) {
			if (this.#isWorthKeeping(contents)) {
				this.#hashes.replace(this.#hashed(contents), this.#walk.lookedAt);
			}
			if (contents.changes().next().done) continue;
			const everything = () => contents.everything();
			const parts = this.#index.with(contents.changes(), everything, Date.now());
			this.#parts = { base: parts.base ?? this.#parts.base, delta: parts.delta };
			this.#read = undefined;
			news.base = parts.base ?? news.base;
			news.delta = parts.delta;
		}
		this.#announced = [];
		return news.base === undefined && news.delta === undefined ? undefined : news;
	}

	/** A few files are read again sooner than the hashes of all are written. */
	#isWorthKeeping({ foundOut: { files, bytes } }: KnownContents): boolean {
		return files > (this.#hashes.isEmpty ? 0 : FEW_FILES) || bytes > FEW_BYTES;
	}

	/** The hashes that are certain now, and those from before of files that were not looked at. */
	*#hashed(contents: KnownContents): Generator<HashedFile> {
		const before = this.#hashes.finder();
		const found = contents.hashed();
		let next = found.next();
		for (const entry of this.#walk.entries) {
			while (!next.done && comparePaths(next.value.path, entry.path) < 0) next = found.next();
			if (!next.done && next.value.path === entry.path) {
				yield next.value;
				continue;
			}
			const state = this.#walk.states.get(entry);
			const hash = state && before(entry, state);
			if (state === undefined || hash === undefined) continue;
			const { path, size, mtimeMs } = entry;
			yield { path, size, mtimeMs, state, hash };
		}
	}
}

/** For files that end up in no image: the same content always has the same time. */
const byContent: FindRecorded = ({ path, size }, hash) => {
	const content = hash();
	return { path, size, modTime: timeOfContent(content), hash: content };
};
