import type { Stats } from "node:fs";
import { readKeptFileSync } from "../../cache-folder.js";
import { CLOCK_STEP, keepFile } from "../tree/cache-files.js";
import type { SourceTree } from "../tree/source-tree.js";
import { type DirectoryContent, readContent } from "./ignored-sizes.js";

/** How long what was measured is taken for what is there, in milliseconds. */
const TRUSTED_MS = 24 * 3600 * 1000;

/** The directory's inode and times, then what it held. */
type Row = readonly [
	inode: number,
	mtimeMs: number,
	ctimeMs: number,
	files: number,
	bytes: number,
	directories: readonly string[],
];

interface Table {
	/** When the oldest of them was measured, in milliseconds since 1970. */
	readonly since: number;
	/** By path. */
	readonly rows: Readonly<Record<string, Row>>;
}

/**
 * What ignored directories held, kept from one run to the next: that 30,000 files below node_modules have
 * nothing to do with a build is not worth a look at each of them every time.
 *
 * A directory that lost or got nothing is as it was, but for files in it that were written in place. Their
 * new size is seen when the day is over.
 */
export class RememberedSizes {
	readonly #tree: SourceTree;
	readonly #file: string;
	readonly #now: number;
	readonly #since: number;
	readonly #known: Table["rows"];
	/** Without a prototype: any name may be one of a directory. */
	readonly #rows: Record<string, Row> = Object.create(null);
	#isNew = false;

	/** @param file absolute; it need not be there */
	constructor(tree: SourceTree, file: string, now = Date.now()) {
		this.#tree = tree;
		this.#file = file;
		this.#now = now;
		const table = readTable(file);
		const isTrusted = table !== undefined && table.since <= now && table.since > now - TRUSTED_MS;
		this.#since = isTrusted ? table.since : now;
		this.#known = isTrusted ? table.rows : {};
	}

	contentOf(path: string): DirectoryContent {
		const stats = this.#look(path);
		const known = stats && this.#row(path, stats);
		if (known !== undefined) {
			this.#rows[path] = known;
			const [, , , files, bytes, directories] = known;
			return { files, bytes, directories };
		}
		const content = readContent(this.#tree, path);
		if (stats !== undefined && stats.ctimeMs < this.#now - CLOCK_STEP) {
			const { files, bytes, directories } = content;
			this.#rows[path] = [stats.ino, stats.mtimeMs, stats.ctimeMs, files, bytes, directories];
			this.#isNew = true;
		}
		return content;
	}

	/** Keeps what was asked for, and forgets the rest. Never fails. */
	keep(): void {
		if (!this.#isNew) return;
		const table: Table = { since: this.#since, rows: this.#rows };
		keepFile(this.#file, JSON.stringify(table));
	}

	#row(path: string, { ino, mtimeMs, ctimeMs }: Stats): Row | undefined {
		const row = Object.hasOwn(this.#known, path) ? this.#known[path] : undefined;
		const isSame = row?.[0] === ino && row[1] === mtimeMs && row[2] === ctimeMs;
		return isSame ? row : undefined;
	}

	#look(path: string): Stats | undefined {
		try {
			const found = this.#tree.look(path);
			return found?.type === "directory" ? found.stats : undefined;
		} catch {
			return undefined;
		}
	}
}

function readTable(file: string): Table | undefined {
	try {
		const { since, rows } = JSON.parse(readKeptFileSync(file).toString("utf8"));
		const isTable = typeof since === "number" && rows !== null && typeof rows === "object";
		return isTable && Object.values(rows).every(isRow) ? { since, rows } : undefined;
	} catch {
		return undefined;
	}
}

function isRow(row: unknown): row is Row {
	if (!Array.isArray(row) || row.length !== 6) return false;
	const [directories, ...numbers] = [row[5], ...row.slice(0, 5)];
	return Array.isArray(directories) && numbers.every((number) => typeof number === "number");
}
