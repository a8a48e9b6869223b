import { closeSync, type Stats } from "node:fs";
import type { ContextEntry } from "../tree/manifest.js";
import { changedWhileRead } from "../tree/read-failure.js";
import type { SourceTree } from "../tree/source-tree.js";

/** A part of a file, as it stands in a chunk. */
export interface ContentPiece {
	/** The position of the file's entry among those that were selected, from 0. */
	readonly id: number;
	readonly start: number;
	readonly end: number;
	/** Whether the file ends with it. */
	readonly last: boolean;
	/** The length of the content, where what stands in the chunk is its gzip. */
	readonly gzipOf?: number;
}

/** Pieces of one file after the other, in a buffer of their own. */
export interface ContentChunk {
	readonly bytes: Uint8Array<ArrayBuffer>;
	readonly pieces: readonly ContentPiece[];
	/** Where it was tried to compress the pieces: how hard, and how long that took. */
	readonly compression?: { readonly level: number; readonly durationMs: number };
}

/** Follows what is read: of one file after the other, all of its content. */
export interface ContentWatch {
	/** @param size bytes that will be read */
	opened(size: number): void;
	read(bytes: Uint8Array): void;
	/**
	 * @param id as in ContentPiece
	 * @throws ContextError for a content that must not be sent
	 */
	finished(id: number, after: Stats): void;
}

/** As for the tar: larger ones take more memory before they are collected, smaller ones more time. */
const CHUNK_BYTES = 64 * 1024;
/** A file that is larger than what is left of a chunk begins in the next one if it is less than this. */
const SMALL_PIECE = 4 * 1024;
/** Files without content take no room in a chunk. */
const PIECES_IN_CHUNK = 1024;

interface OpenFile {
	readonly id: number;
	readonly path: string;
	readonly file: number;
	readonly size: number;
	readonly mtimeMs: number;
	position: number;
}

/**
 * Reads files in the order in which they are asked for. Blocks its thread while it is asked for the
 * next chunk.
 *
 * BuildKit takes a file for unchanged by its size and time, as they were announced. So one that is not
 * what was announced must not be sent at all: the daemon would keep that content under that time, for
 * this build and those to come.
 */
export class ContentReader {
	readonly #tree: SourceTree;
	readonly #entries: readonly ContextEntry[];
	readonly #watch: ContentWatch | undefined;
	readonly #requested: number[] = [];
	#next = 0;
	#open: OpenFile | undefined;

	constructor(tree: SourceTree, entries: readonly ContextEntry[], watch?: ContentWatch) {
		this.#tree = tree;
		this.#entries = entries;
		this.#watch = watch;
	}

	/** @param ids of regular files */
	request(ids: readonly number[]): void {
		for (const id of ids) this.#requested.push(id);
	}

	/**
	 * Without pieces when there is nothing left to read.
	 *
	 * @param memory of an earlier chunk, to be used again
	 * @throws ContextError for a file that vanished, cannot be read or is not what the entry says
	 */
	read(memory?: ArrayBuffer): ContentChunk {
		this.#open ??= this.#openNext();
		if (this.#open === undefined) return { bytes: new Uint8Array(), pieces: [] };
		const isWhole = memory?.byteLength === CHUNK_BYTES;
		const buffer = isWhole ? Buffer.from(memory) : Buffer.allocUnsafeSlow(CHUNK_BYTES);
		const pieces: ContentPiece[] = [];
		let used = 0;
		while (pieces.length < PIECES_IN_CHUNK) {
			this.#open ??= this.#openNext();
			if (this.#open === undefined) break;
			const { id, size, position } = this.#open;
			const left = size - position;
			const room = buffer.length - used;
			if (left > room && room < SMALL_PIECE) break;
			const start = used;
			used += this.#readInto(buffer, used, this.#open);
			const last = this.#open.position === size;
			pieces.push({ id, start, end: used, last });
			if (last) this.#finish(this.#open);
		}
		return { bytes: buffer.subarray(0, used), pieces };
	}

	close(): void {
		if (this.#open !== undefined) closeSync(this.#open.file);
		this.#open = undefined;
	}

	#openNext(): OpenFile | undefined {
		const id = this.#requested[this.#next];
		if (id === undefined) return undefined;
		this.#next += 1;
		const { path, size, mtimeMs } = this.#entries[id] as ContextEntry;
		const file = this.#tree.open(path);
		this.#watch?.opened(size);
		return { id, path, file, size, mtimeMs, position: 0 };
	}

	#readInto(buffer: Uint8Array, from: number, open: OpenFile): number {
		let at = from;
		while (open.position < open.size && at < buffer.length) {
			const length = Math.min(open.size - open.position, buffer.length - at);
			const into = { buffer, at, length };
			const count = this.#tree.read(open.file, open.path, into, open.position);
			if (count === 0) throw changedWhileRead(open.path);
			this.#watch?.read(buffer.subarray(at, at + count));
			open.position += count;
			at += count;
		}
		return at - from;
	}

	/** Whatever happened to the file since it was announced shows now. */
	#finish({ id, file, path, size, mtimeMs }: OpenFile): void {
		const after = this.#tree.opened(file, path);
		this.#open = undefined;
		closeSync(file);
		if (after.size !== size || after.mtimeMs !== mtimeMs) throw changedWhileRead(path);
		this.#watch?.finished(id, after);
	}
}
