import { closeSync } from "node:fs";
import { padded, TAR_BLOCK } from "../../tar-block.js";
import type { ContextEntry } from "../tree/manifest.js";
import { changedWhileRead } from "../tree/read-failure.js";
import type { SourceTree } from "../tree/source-tree.js";
import { type ExtraFile, extraEntry } from "./extra-files.js";
import { type TarHeader, tarHeader } from "./tar-header.js";
import type { TarProgress } from "./tar-reader.js";

/** A piece of the archive, in a buffer of its own, and how far it has come with this piece. */
export interface TarChunk {
	readonly bytes: Buffer<ArrayBuffer>;
	readonly progress: TarProgress;
}

/**
 * The usual length of a chunk. Chunks become garbage of the main thread, and the smaller they are, the
 * less of it is there before that collects it: 2 GiB in chunks of 64 KiB took 88 MB, of 1 MiB 168 MB.
 */
const CHUNK_BYTES = 64 * 1024;

/** The largest file that is read as a whole, and so can be read again. */
const WHOLE_FILE_BYTES = 512 * 1024;
const READ_ATTEMPTS = 4;

/**
 * A tar of the entries, in their order; the same bytes for the same tree. Blocks its thread while it
 * is asked for the next chunk.
 *
 * A file that changes while it is read is read again, unless it is so large that its beginning was
 * handed over already.
 *
 * @param contents what is sent for entries that are not in the tree, by path.
 * @throws ContextError for a file that vanished, cannot be read or does not stop changing.
 */
export function packTar(
	tree: SourceTree,
	entries: Iterable<ContextEntry>,
	contents: ReadonlyMap<string, Uint8Array> = new Map(),
): Generator<TarChunk, void> {
	return new TarPacker(tree, contents).pack(entries);
}

/** A tar of files that are in memory, with the times of 1970. */
export function packFiles(files: readonly ExtraFile[]): Buffer {
	return Buffer.concat([packFilesOpen(files), Buffer.alloc(2 * TAR_BLOCK)]);
}

/** The same without an end: another tar has to follow. */
export function packFilesOpen(files: readonly ExtraFile[]): Buffer {
	const parts = files.flatMap((file) => {
		const header = tarHeader(extraEntry(file));
		const block = Buffer.alloc(header.length);
		header.write(block, 0);
		const { length } = file.content;
		return [block, file.content, Buffer.alloc(padded(length) - length)];
	});
	return Buffer.concat(parts);
}

class TarPacker {
	readonly #tree: SourceTree;
	readonly #contents: ReadonlyMap<string, Uint8Array>;
	#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
	#used = 0;
	#files = 0;
	#bytes = 0;

	constructor(tree: SourceTree, contents: ReadonlyMap<string, Uint8Array>) {
		this.#tree = tree;
		this.#contents = contents;
	}

	*pack(entries: Iterable<ContextEntry>): Generator<TarChunk, void> {
		for (const entry of entries) {
			if (entry.type !== "directory") this.#files += 1;
			const content = this.#contents.get(entry.path);
			if (entry.type !== "file" || entry.hardlink !== undefined) yield* this.#header(entry);
			else if (content !== undefined) yield* this.#given(entry, content);
			else yield* this.#file(entry);
		}
		yield* this.#room(2 * TAR_BLOCK);
		this.#zeros(2 * TAR_BLOCK);
		yield this.#take();
	}

	*#header(entry: ContextEntry): Generator<TarChunk, void> {
		const header = tarHeader(entry);
		yield* this.#room(header.length);
		this.#write(header);
	}

	*#given(entry: ContextEntry, content: Uint8Array): Generator<TarChunk, void> {
		yield* this.#header({ ...entry, size: content.length });
		for (let at = 0; at < content.length; ) {
			yield* this.#room(1);
			const part = content.subarray(at, at + this.#chunk.length - this.#used);
			this.#chunk.set(part, this.#used);
			this.#advance(part.length);
			at += part.length;
		}
		yield* this.#pad(content.length);
	}

	*#file(entry: ContextEntry): Generator<TarChunk, void> {
		const file = this.#tree.open(entry.path);
		try {
			// A file that is still as the walk found it is asked for its state only once.
			for (let attempt = 1, now = entry; attempt <= READ_ATTEMPTS; attempt++) {
				if (attempt > 1 || isLarge(entry)) now = this.#now(file, entry);
				if (isLarge(now)) return yield* this.#largeFile(file, now);
				const header = tarHeader(now);
				yield* this.#room(header.length + padded(now.size));
				if (this.#smallFile(file, now, header)) return;
			}
			throw changedWhileRead(entry.path);
		} finally {
			closeSync(file);
		}
	}

	#now(file: number, entry: ContextEntry): ContextEntry {
		const stats = this.#tree.opened(file, entry.path);
		const { size, mtimeMs } = stats;
		return { ...entry, size, mode: this.#tree.permissions(stats), mtimeMs };
	}

	/** Reads a file into the chunk; false, and nothing is done, if it is another one afterwards. */
	#smallFile(file: number, entry: ContextEntry, header: TarHeader): boolean {
		const start = this.#used + header.length;
		let size = 0;
		while (size < entry.size) {
			const count = this.#read(file, entry.path, start + size, entry.size - size, size);
			if (count === 0) return false;
			size += count;
		}
		if (!this.#isUnchanged(file, entry)) return false;
		this.#write(header);
		this.#advance(size);
		this.#zeros(padded(size) - size);
		return true;
	}

	/** Reads a file of which the first part is gone when the last is read. */
	*#largeFile(file: number, entry: ContextEntry): Generator<TarChunk, void> {
		const header = tarHeader(entry);
		yield* this.#room(header.length);
		this.#write(header);
		for (let left = entry.size; left > 0; ) {
			yield* this.#room(1);
			const room = Math.min(left, this.#chunk.length - this.#used);
			const count = this.#read(file, entry.path, this.#used, room, entry.size - left);
			if (count === 0) throw changedWhileRead(entry.path);
			this.#advance(count);
			left -= count;
		}
		if (!this.#isUnchanged(file, entry)) throw changedWhileRead(entry.path);
		yield* this.#pad(entry.size);
	}

	#isUnchanged(file: number, { path, size, mode, mtimeMs }: ContextEntry): boolean {
		const stats = this.#tree.opened(file, path);
		const isSame = stats.size === size && stats.mtimeMs === mtimeMs;
		return isSame && this.#tree.permissions(stats) === mode;
	}

	/** Reads into the chunk, from a byte of it on. */
	#read(file: number, path: string, at: number, length: number, position: number): number {
		return this.#tree.read(file, path, { buffer: this.#chunk, at, length }, position);
	}

	/** Makes room for so many bytes in a row, by handing over the chunk that has not got it. */
	*#room(bytes: number): Generator<TarChunk, void> {
		if (this.#used + bytes <= this.#chunk.length) return;
		if (this.#used > 0) yield this.#take();
		if (bytes > this.#chunk.length) this.#chunk = Buffer.allocUnsafeSlow(bytes);
	}

	#take(): TarChunk {
		const bytes = this.#chunk.subarray(0, this.#used);
		this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
		this.#used = 0;
		return { bytes, progress: { files: this.#files, bytes: this.#bytes } };
	}

	#write(header: TarHeader): void {
		header.write(this.#chunk, this.#used);
		this.#used += header.length;
	}

	#advance(bytes: number): void {
		this.#used += bytes;
		this.#bytes += bytes;
	}

	*#pad(size: number): Generator<TarChunk, void> {
		const padding = padded(size) - size;
		yield* this.#room(padding);
		this.#zeros(padding);
	}

	#zeros(bytes: number): void {
		this.#chunk.fill(0, this.#used, this.#used + bytes);
		this.#used += bytes;
	}
}

/** Whether it is too large to be read as a whole, with a header that may be long. */
function isLarge({ size }: ContextEntry): boolean {
	return size > WHOLE_FILE_BYTES;
}
