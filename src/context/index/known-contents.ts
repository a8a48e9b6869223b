import { closeSync, type Stats } from "node:fs";
import type { ContentWatch } from "../content/content-reader.js";
import { type FileState, fileState } from "../tree/file-state.js";
import type { ContextEntry } from "../tree/manifest.js";
import { changedWhileRead } from "../tree/read-failure.js";
import type { SourceTree } from "../tree/source-tree.js";
import { ContentDigest } from "./content-digest.js";
import { HASH_BYTES, type RecordedContent } from "./content-index.js";
import type { ContentTimes } from "./content-times.js";
import type { FileHashes, HashedFile } from "./file-hashes.js";
import { type LinkedFile, later } from "./linked-files.js";

/** The states that the files of a walk were in. */
export type FileStates = Pick<WeakMap<ContextEntry, FileState>, "get">;

/** What is known of the files of a context, before they are announced. */
export interface KnownFiles {
	readonly tree: SourceTree;
	readonly states: FileStates;
	readonly hashes: FileHashes;
}

/**
 * Tells what a daemon was sent under the path of an entry. It is asked for one entry after the other, in
 * their order.
 *
 * @param hash finds out what the content of the file is now
 */
export type FindRecorded = (entry: ContextEntry, hash: () => Buffer) => RecordedContent | undefined;

// What is known of an entry is a set of these.

/** Its hash is that of the file as it still is. */
const CERTAIN = 1;
/** Its content and its time are in the index. */
const RECORDED = 2;
/** It is announced with a time from the index, which stands for the content that it was found to have. */
const DATED = 4;
/** Its content went to the daemon. */
const SENT = 8;

const NOTHING = Buffer.alloc(0);
const READ_BYTES = 256 * 1024;

/**
 * Announces the files of one transfer: contents that the index has with the time under which it has
 * them, others with a new one. Files that have the size of the recorded content are read to find
 * out, unless their hash is certain already. What is sent is hashed on its way.
 */
export class KnownContents implements ContentWatch {
	readonly #known: KnownFiles;
	readonly #entries: readonly ContextEntry[];
	readonly #times: ContentTimes;
	readonly #recorded: FindRecorded;
	readonly #certain: ReturnType<FileHashes["finder"]>;
	/** By position in the entries. */
	readonly #flags: Uint8Array;
	readonly #modTimes: BigInt64Array;
	readonly #hashes: Buffer;
	/** The files whose hash is certain now and was not before. */
	readonly foundOut = { files: 0, bytes: 0 };
	#buffer: Buffer = NOTHING;
	/** By first name. */
	readonly #linked: ReadonlyMap<string, LinkedFile>;
	#reading: ContentDigest | undefined;

	/** @param linked of the entries */
	constructor(
		known: KnownFiles,
		entries: readonly ContextEntry[],
		recorded: FindRecorded,
		linked: ReadonlyMap<string, LinkedFile>,
		times: ContentTimes,
	) {
		this.#known = known;
		this.#entries = entries;
		this.#recorded = recorded;
		this.#times = times;
		this.#certain = known.hashes.finder();
		this.#flags = new Uint8Array(entries.length);
		this.#modTimes = new BigInt64Array(entries.length);
		this.#hashes = Buffer.allocUnsafeSlow(entries.length * HASH_BYTES);
		this.#linked = linked;
	}

	/**
	 * Some of the entries with the times to announce them with; all of them have to be asked for, in order.
	 * @throws ContextError
	 */
	announce(from: number, to: number): ContextEntry[] {
		return this.#entries.slice(from, to).map((entry, at) => this.#announced(entry, from + at));
	}

	/** What was sent and is not in the index, sorted by path. */
	changes(): Generator<RecordedContent> {
		return this.#contents((flags) => (flags & (SENT | DATED)) !== 0 && (flags & RECORDED) === 0);
	}

	/** All that the daemon has now, as far as it is known, sorted by path. */
	everything(): Generator<RecordedContent> {
		return this.#contents((flags) => (flags & (SENT | DATED)) !== 0);
	}

	/** The regular files that were announced as new, each inode once. */
	*unrecorded(): Generator<ContextEntry> {
		for (const [id, entry] of this.#entries.entries()) {
			if (entry.type !== "file" || entry.hardlink !== undefined) continue;
			if (((this.#flags[id] ?? 0) & RECORDED) === 0) yield entry;
		}
	}

	/** The files whose hash was found out or confirmed, and is certain, sorted by path. */
	*hashed(): Generator<HashedFile> {
		for (let id = 0; id < this.#entries.length; id++) {
			const entry = this.#entries[id] as ContextEntry;
			const state = this.#known.states.get(entry);
			if (state === undefined || ((this.#flags[id] ?? 0) & CERTAIN) === 0) continue;
			const { path, size, mtimeMs } = entry;
			yield { path, size, mtimeMs, state, hash: this.#hashOf(id) };
		}
	}

	opened(size: number): void {
		this.#reading = new ContentDigest(size);
	}

	read(bytes: Uint8Array): void {
		this.#reading?.update(bytes);
	}

	/** @throws ContextError if this is not the content that was announced */
	finished(id: number, after: Stats): void {
		if (this.#reading === undefined) return;
		const entry = this.#entries[id] as ContextEntry;
		const sent = this.#reading.hash;
		const isDated = ((this.#flags[id] ?? 0) & DATED) !== 0;
		if (isDated && !sent.equals(this.#hashOf(id))) throw changedWhileRead(entry.path);
		this.#learn(id, sent, SENT | this.#certainty(entry, after));
	}

	/** @throws ContextError */
	#announced(entry: ContextEntry, id: number): ContextEntry {
		const { path, size, mtimeMs, hardlink } = entry;
		// The daemon compares the times of other things too, but has no content of theirs to mistake.
		if (entry.type !== "file") return entry;
		if (hardlink !== undefined) return this.#announcedLink(entry, id, hardlink);
		let known: Buffer | undefined;
		const hash = () => {
			known ??= this.#knownHash(entry, id);
			return known;
		};
		const own = this.#recorded(entry, hash);
		// No name of a file may be dated before what was last sent under it.
		const latest = later(own, this.#linked.get(path)?.latest);
		const isDated = latest?.size === size && latest.hash.equals(hash());
		const isRecorded = isDated && latest.modTime === own?.modTime;
		if (isDated) this.#flags[id] = (this.#flags[id] ?? 0) | DATED | (isRecorded ? RECORDED : 0);
		const modTime = isDated ? latest.modTime : this.#times.of(mtimeMs, latest?.modTime);
		this.#modTimes[id] = modTime;
		return { ...entry, modTime };
	}

	/** Another name of a file that was announced already. */
	#announcedLink(entry: ContextEntry, id: number, firstName: string): ContextEntry {
		const { first } = this.#linked.get(firstName) as LinkedFile;
		const modTime = this.#modTimes[first] as bigint;
		this.#modTimes[id] = modTime;
		const isDated = ((this.#flags[first] ?? 0) & DATED) !== 0;
		const hash = () => this.#hashOf(first);
		const own = isDated ? this.#recorded(entry, hash) : undefined;
		if (own?.modTime === modTime && own.hash.equals(hash())) this.#flags[id] = RECORDED;
		return { ...entry, modTime };
	}

	/** The hash of a file from earlier, or of its content as it is now. @throws ContextError */
	#knownHash(entry: ContextEntry, id: number): Buffer {
		if (entry.size === 0) return this.#learn(id, new ContentDigest(0).hash, 0);
		const state = this.#known.states.get(entry);
		const certain = state && this.#certain(entry, state);
		if (certain !== undefined) return this.#learn(id, certain, CERTAIN);
		if (this.#buffer.length === 0) this.#buffer = Buffer.allocUnsafeSlow(READ_BYTES);
		const { hash, after } = hashFile(this.#known.tree, this.#buffer, entry);
		return this.#learn(id, hash, this.#certainty(entry, after));
	}

	#learn(id: number, hash: Buffer, flags: number): Buffer {
		hash.copy(this.#hashes, id * HASH_BYTES);
		this.#flags[id] = ((this.#flags[id] ?? 0) & ~CERTAIN) | flags;
		return hash;
	}

	/** A file that is in the state in which the walk found it was so while it was read. */
	#certainty(entry: ContextEntry, after: Stats): number {
		const state = this.#known.states.get(entry);
		if (state === undefined || !isState(state, after)) return 0;
		this.foundOut.files += 1;
		this.foundOut.bytes += entry.size;
		return CERTAIN;
	}

	#hashOf(id: number): Buffer {
		return this.#hashes.subarray(id * HASH_BYTES, (id + 1) * HASH_BYTES);
	}

	*#contents(isWanted: (flags: number) => boolean): Generator<RecordedContent> {
		for (const [id, { path, size, hardlink }] of this.#entries.entries()) {
			const { first = id } = this.#linked.get(hardlink ?? "") ?? {};
			const flags = ((this.#flags[first] ?? 0) & ~RECORDED) | ((this.#flags[id] ?? 0) & RECORDED);
			if (!isWanted(flags)) continue;
			yield { path, size, modTime: this.#modTimes[id] as bigint, hash: this.#hashOf(first) };
		}
	}
}

/** @throws ContextError for a file that is not what the walk found */
function hashFile(
	tree: SourceTree,
	buffer: Buffer,
	{ path, size, mtimeMs }: ContextEntry,
): { readonly hash: Buffer; readonly after: Stats } {
	const file = tree.open(path);
	try {
		const digest = new ContentDigest(size);
		for (let at = 0; at < size; ) {
			const into = { buffer, at: 0, length: Math.min(size - at, buffer.length) };
			const count = tree.read(file, path, into, at);
			if (count === 0) throw changedWhileRead(path);
			digest.update(buffer.subarray(0, count));
			at += count;
		}
		const after = tree.opened(file, path);
		if (after.size !== size || after.mtimeMs !== mtimeMs) throw changedWhileRead(path);
		return { hash: digest.hash, after };
	} finally {
		closeSync(file);
	}
}

function isState(state: FileState, stats: Stats): boolean {
	const { device, inode, changedMs } = fileState(stats);
	return device === state.device && inode === state.inode && changedMs === state.changedMs;
}
