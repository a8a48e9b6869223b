import { createHash } from "node:crypto";
import type { ContextEntry } from "../../context/tree/manifest.js";
import type { SourceTree } from "../../context/tree/source-tree.js";
import type { Advice } from "../context-document.js";
import { readStart } from "../file-start.js";

/** Smaller files are not looked at, and less than a megabyte is not worth a word. */
const SMALLEST = 64 * 1024;
const WORTH_A_WORD = 1_000_000;
/** How much is read at most, the largest files first, and of each file at first. */
const READ_BUDGET = 64 * 1024 * 1024;
const START_BYTES = 16 * 1024;
const PATHS = 10;

/** Finds files of the same content. Names of one file are no copies: it is sent once. */
export function findDuplicates(
	entries: readonly ContextEntry[],
	tree: SourceTree,
	signal: AbortSignal,
): Advice[] {
	let budget = READ_BUDGET;
	const copies: ContextEntry[] = [];
	for (const candidates of bySize(entries)) {
		for (const alike of groupBy(candidates, (file) => digest(file, START_BYTES))) {
			for (const same of groupBy(alike, (file) => digest(file, file.size))) {
				copies.push(...same.slice(1));
			}
		}
	}
	const bytes = copies.reduce((sum, { size }) => sum + size, 0);
	if (bytes < WORTH_A_WORD) return [];
	return [
		{
			kind: "duplicates",
			text: "copies of files that are sent, too",
			files: copies.length,
			bytes,
			paths: copies.slice(0, PATHS).map(({ path }) => path),
			lines: [],
		},
	];

	/** Undefined for what cannot be read, or not any more within the budget. */
	function digest({ path, size }: ContextEntry, length: number): string | undefined {
		signal.throwIfAborted();
		const wanted = Math.min(size, length);
		if (wanted > budget) return undefined;
		budget -= wanted;
		const content = readStart(tree, path, wanted);
		return content && createHash("sha256").update(content).digest("hex");
	}
}

/** Files that have their size in common, the largest first. */
function bySize(entries: readonly ContextEntry[]): ContextEntry[][] {
	const files = entries.filter(
		({ type, size, hardlink }) => type === "file" && size >= SMALLEST && hardlink === undefined,
	);
	return groupBy(files, ({ size }) => size).sort(
		([one], [other]) => (other?.size ?? 0) - (one?.size ?? 0),
	);
}

/** Groups of two and more. */
function groupBy<Item, Key>(
	items: readonly Item[],
	keyOf: (item: Item) => Key | undefined,
): Item[][] {
	const groups = new Map<Key, Item[]>();
	for (const item of items) {
		const key = keyOf(item);
		if (key === undefined) continue;
		const group = groups.get(key);
		if (group === undefined) groups.set(key, [item]);
		else group.push(item);
	}
	return [...groups.values()].filter(({ length }) => length > 1);
}
