import { comparePaths } from "../tree/path-bytes.js";
import { joinTime, splitTime } from "./content-times.js";
import {
	type IndexPart,
	type IndexPartHeader,
	readIndexPart,
	writeIndexPart,
} from "./index-part.js";
import { type PathCursor, PathTable, PathTableWriter } from "./path-table.js";

/** Bytes of a content hash: a SHA-256, cut off. */
export const HASH_BYTES = 20;

/** A content that was announced to a daemon, and as what. */
export interface RecordedContent {
	readonly path: string;
	/** Bytes. */
	readonly size: number;
	/** The modification time that it was announced with, in nanoseconds since 1970. */
	readonly modTime: bigint;
	/** HASH_BYTES of its SHA-256. */
	readonly hash: Buffer;
}

/**
 * What an index is stored as: a large part that stays as it is, and what changed since it was written,
 * so that little has to be stored when little changes.
 */
export interface IndexParts {
	readonly base: Uint8Array | undefined;
	readonly delta: Uint8Array | undefined;
}

/** Of a table: size, milliseconds, nanoseconds beyond them, hash. */
const WIDTHS = [6, 6, 3, HASH_BYTES];
const COLUMN = { size: 0, milliseconds: 1, nanoseconds: 2, hash: 3 } as const;

/** A delta with more rows than this, and more than a quarter of its base, becomes a new base. */
const SMALL_DELTA = 256;

/**
 * The contents that a daemon was sent, as far as this side knows: by path, with the size and the
 * modification time under which the daemon knows it. Every entry holds for every copy of its generation: a
 * file there with this path, size and time has this content. A copy need not have the file. Two different
 * contents are never announced with the same size and time.
 */
export class ContentIndex {
	readonly syncedAt: number;
	readonly #header: Omit<IndexPartHeader, "syncedAt">;
	readonly #base: PathTable | undefined;
	readonly #delta: PathTable | undefined;

	/** Takes what makes no sense for empty. */
	static read(parts: IndexParts, header: Omit<IndexPartHeader, "syncedAt">): ContentIndex {
		const [base, delta] = [parts.base, parts.delta].map((bytes) => {
			const part = bytes && readIndexPart(bytes);
			return part?.generation.equals(header.generation) && part.key.equals(header.key)
				? part
				: undefined;
		});
		return new ContentIndex(header, base, delta);
	}

	private constructor(
		header: Omit<IndexPartHeader, "syncedAt">,
		base: IndexPart | undefined,
		delta: IndexPart | undefined,
	) {
		this.#header = header;
		this.#base = base && readTable(base);
		this.#delta = delta && readTable(delta);
		this.syncedAt = Math.max(base?.syncedAt ?? 0, delta?.syncedAt ?? 0);
	}

	/** Looks paths up, in their order. */
	finder(): (path: string) => RecordedContent | undefined {
		const tables = [this.#delta, this.#base].filter((table) => table !== undefined);
		const cursors = tables.map((table) => ({ table, cursor: table.cursor() }));
		return (path) => {
			for (const { table, cursor } of cursors) {
				const row = cursor.find(path);
				if (row !== undefined) return recorded(path, table, row);
			}
			return undefined;
		};
	}

	/**
	 * The index with what was sent now, in parts of which only those are there that have to be stored anew.
	 *
	 * @param changes sorted by path
	 * @param everything that was announced, with the changes, sorted by path: what a new base consists of
	 */
	with(
		changes: Iterable<RecordedContent>,
		everything: () => Iterable<RecordedContent>,
		syncedAt: number,
	): IndexParts {
		const part = (table: PathTableWriter) =>
			writeIndexPart({ ...this.#header, syncedAt, table: table.toBytes() });
		if (this.#base !== undefined) {
			const delta = new PathTableWriter(WIDTHS);
			for (const { path, row } of merged(this.#delta, changes)) delta.add(path, row);
			const limit = Math.max(SMALL_DELTA, this.#base.count / 4);
			if (delta.count <= limit) return { base: undefined, delta: part(delta) };
		}
		const base = new PathTableWriter(WIDTHS);
		for (const content of everything()) base.add(content.path, rowOf(content));
		return { base: part(base), delta: undefined };
	}
}

function readTable({ table }: IndexPart): PathTable | undefined {
	try {
		return new PathTable(table, WIDTHS);
	} catch (error) {
		if (error instanceof RangeError) return undefined;
		throw error;
	}
}

function recorded(path: string, table: PathTable, row: number): RecordedContent {
	const milliseconds = table.column(COLUMN.milliseconds).readIntLE(row * 6, 6);
	const nanoseconds = table.column(COLUMN.nanoseconds).readUIntLE(row * 3, 3);
	return {
		path,
		size: table.column(COLUMN.size).readUIntLE(row * 6, 6),
		modTime: joinTime(milliseconds, nanoseconds),
		hash: table.column(COLUMN.hash).subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES),
	};
}

function rowOf({ size, modTime, hash }: RecordedContent): Buffer {
	const { milliseconds, nanoseconds } = splitTime(modTime);
	const row = Buffer.allocUnsafe(6 + 6 + 3 + HASH_BYTES);
	row.writeUIntLE(size, 0, 6);
	row.writeIntLE(milliseconds, 6, 6);
	row.writeUIntLE(nanoseconds, 12, 3);
	hash.copy(row, 6 + 6 + 3);
	return row;
}

function* merged(
	table: PathTable | undefined,
	changes: Iterable<RecordedContent>,
): Generator<{ readonly path: string; readonly row: Buffer }> {
	const cursor = table?.cursor();
	cursor?.step();
	for (const change of changes) {
		if (cursor !== undefined && table !== undefined) yield* rowsBefore(change.path, cursor, table);
		yield { path: change.path, row: rowOf(change) };
	}
	if (cursor !== undefined && table !== undefined) yield* rowsBefore(undefined, cursor, table);
}

/** The rows before a path, and not the one of the path. */
function* rowsBefore(path: string | undefined, cursor: PathCursor, table: PathTable) {
	while (cursor.path !== undefined) {
		const order = path === undefined ? -1 : comparePaths(cursor.path, path);
		if (order > 0) return;
		if (order < 0) yield { path: cursor.path, row: table.row(cursor.row) };
		cursor.step();
	}
}
