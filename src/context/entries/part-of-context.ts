import type { ContextEntry, ContextManifest, ContextSummary } from "../tree/manifest.js";
import { PickedEntries } from "./picked-entries.js";
import { withFirstNames } from "./select-entries.js";
import { EntryFinder } from "./taken-entries.js";

/** What to send of a context. */
export interface PartRequest {
	/** As EntryFinder takes them. */
	readonly paths: readonly string[];
	/** Sent if they are there: what builders look for by themselves. */
	readonly always: readonly string[];
}

/** Sizes of a part, counted as in ContextManifest. */
export interface PartTotals {
	readonly files: number;
	readonly bytes: number;
}

/** What is told of a part of a context. */
export interface PartSummary
	extends PartTotals,
		Pick<ContextSummary, "noted" | "isUtf8" | "unreadable"> {}

/** Entries that are sent, and what they may lack: see ContextManifest. */
export type SentEntries = Pick<ContextManifest, "entries" | "unreadable">;

const NONE: ReadonlySet<string> = new Set();

/**
 * The entries that a build cannot do without, with the directories that they are in, in their order.
 *
 * @returns undefined for all of them
 */
export function partOfContext(
	{ entries, unreadable }: SentEntries,
	{ paths, always }: PartRequest,
): SentEntries | undefined {
	const found = new EntryFinder(entries).find(paths);
	if (found === undefined) return undefined;
	const onTheWay = new Set(found.parents);
	const kept = new Set(always);
	const selected = new PickedEntries();
	for (const [position, entry] of entries.entries()) {
		const { path } = entry;
		selected.goTo(path);
		const isTaken = found.roots[position] !== 0 || onTheWay.has(position) || kept.has(path);
		if (isTaken) selected.pick(entry);
		if (entry.type === "directory") selected.enter(entry, undefined);
	}
	const names = unreadable.length > 0 ? new Set(selected.all.map(({ path }) => path)) : NONE;
	const missing = unreadable.filter(({ path, isEntry }) =>
		isEntry
			? names.has(path)
			: found.mayTake(path) || always.some((kept) => `${kept}/`.startsWith(`${path}/`)),
	);
	const isAll = selected.all.length === entries.length && missing.length === unreadable.length;
	if (isAll) return undefined;
	return { entries: withFirstNames(entries, selected.all), unreadable: missing };
}

export function totalsOf(entries: readonly ContextEntry[]): PartTotals {
	let files = 0;
	let bytes = 0;
	for (const { type, size, hardlink } of entries) {
		if (type !== "directory") files += 1;
		if (hardlink === undefined) bytes += size;
	}
	return { files, bytes };
}
