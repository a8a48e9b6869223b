import { createHash } from "node:crypto";
import { readKeptFileSync } from "../../cache-folder.js";
import { CLOCK_STEP, keepFile } from "../tree/cache-files.js";
import type { FileState } from "../tree/file-state.js";
import type { ContextEntry } from "../tree/manifest.js";
import { HASH_BYTES } from "./content-index.js";
import { PathTable, PathTableWriter } from "./path-table.js";

/** The hash of a file's content at the time when the file was in that state. */
export interface HashedFile {
	readonly path: string;
	readonly size: number;
	readonly mtimeMs: number;
	readonly state: FileState;
	readonly hash: Buffer;
}

const MAGIC = Buffer.from("rbuild hashes 1\0");
const CHECKSUM_BYTES = 32;

/** Size and mtime, inode, device and ctime as doubles; the hash. */
const WIDTHS = [8, 8, 8, 8, 8, HASH_BYTES];
const HASH_COLUMN = 5;

/**
 * The hashes of files in one directory, kept from one run to the next, so that a file has to be read
 * only once. They are about this directory alone, and never leave the machine.
 */
export class FileHashes {
	readonly #file: string | undefined;
	readonly #table: PathTable | undefined;

	/** @param file what is not there or makes no sense is taken for empty */
	constructor(file: string | undefined) {
		this.#file = file;
		this.#table = file === undefined ? undefined : readTable(file);
	}

	/** Whether nothing was kept from earlier runs. */
	get isEmpty(): boolean {
		return this.#table === undefined;
	}

	/** Finds what is certain to be the hash of a file's content now; paths in their order. */
	finder(): (entry: ContextEntry, state: FileState) => Buffer | undefined {
		const table = this.#table;
		const cursor = table?.cursor();
		return (entry, state) => {
			const row = cursor?.find(entry.path);
			if (table === undefined || row === undefined) return undefined;
			const isSame = stateCells(entry, state).every(
				(value, column) => table.column(column).readDoubleLE(row * 8) === value,
			);
			if (!isSame) return undefined;
			return table.column(HASH_COLUMN).subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES);
		};
	}

	/** Finds what a file was when its hash was last certain, whatever it is now; paths in their order. */
	earlier(): (path: string) => Omit<HashedFile, "path" | "state"> | undefined {
		const table = this.#table;
		const cursor = table?.cursor();
		return (path) => {
			const row = cursor?.find(path);
			if (table === undefined || row === undefined) return undefined;
			const [size = 0, mtimeMs = 0] = [0, 1].map((column) =>
				table.column(column).readDoubleLE(row * 8),
			);
			const hash = table.column(HASH_COLUMN).subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES);
			return { size, mtimeMs, hash };
		};
	}

	/**
	 * Keeps these instead, as far as they will still be certain.
	 *
	 * @param files sorted by path
	 * @param lookedAt before any of their states was looked at, in milliseconds since 1970
	 */
	replace(files: Iterable<HashedFile>, lookedAt: number): void {
		if (this.#file === undefined) return;
		const table = new PathTableWriter(WIDTHS);
		for (const file of files) {
			const { changedMs } = file.state;
			if (changedMs <= 0 || changedMs > lookedAt - CLOCK_STEP) continue;
			const row = Buffer.allocUnsafe(5 * 8 + HASH_BYTES);
			stateCells(file, file.state).forEach((value, column) => {
				row.writeDoubleLE(value, column * 8);
			});
			file.hash.copy(row, 5 * 8);
			table.add(file.path, row);
		}
		const content = Buffer.concat([MAGIC, table.toBytes()]);
		keepFile(this.#file, Buffer.concat([content, checksum(content)]));
	}
}

function stateCells(
	{ size, mtimeMs }: Pick<ContextEntry, "size" | "mtimeMs">,
	{ inode, device, changedMs }: FileState,
): readonly number[] {
	return [size, mtimeMs, inode, device, changedMs];
}

function readTable(file: string): PathTable | undefined {
	try {
		const bytes = readKeptFileSync(file);
		const end = bytes.length - CHECKSUM_BYTES;
		const isWhole =
			bytes.subarray(0, MAGIC.length).equals(MAGIC) &&
			checksum(bytes.subarray(0, end)).equals(bytes.subarray(end));
		return isWhole ? new PathTable(bytes.subarray(MAGIC.length, end), WIDTHS) : undefined;
	} catch {
		return undefined;
	}
}

function checksum(content: Uint8Array): Buffer {
	return createHash("sha256").update(content).digest();
}
