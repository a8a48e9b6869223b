import type { ContextEntry } from "../tree/manifest.js";
import type { RecordedContent } from "./content-index.js";

/** A file that has several names among the entries of a transfer, and one modification time. */
export interface LinkedFile {
	/** The position of the entry with its first name, which stands for it. */
	readonly first: number;
	/** What the daemon was sent last under any of its other names: perhaps another content. */
	readonly latest: RecordedContent | undefined;
}

/**
 * The files with several names, by the first one.
 *
 * @param find tells what the daemon was sent under a path; it is asked in the order of the entries
 */
export function linkedFiles(
	entries: readonly ContextEntry[],
	find: (path: string) => RecordedContent | undefined,
): ReadonlyMap<string, LinkedFile> {
	const files = new Map<string, LinkedFile>();
	const firstNames = new Set<string>();
	for (const { hardlink } of entries) if (hardlink !== undefined) firstNames.add(hardlink);
	if (firstNames.size === 0) return files;
	for (const [id, { path, type, hardlink }] of entries.entries()) {
		if (type !== "file") continue;
		if (firstNames.has(path)) files.set(path, { first: id, latest: undefined });
		const file = hardlink === undefined ? undefined : files.get(hardlink);
		if (hardlink === undefined || file === undefined) continue;
		files.set(hardlink, { ...file, latest: later(file.latest, find(path)) });
	}
	return files;
}

/** The one with the later time; of two with the same, the first one. */
export function later<Content extends { readonly modTime: bigint }>(
	one: Content | undefined,
	other: Content | undefined,
): Content | undefined {
	if (one === undefined || other === undefined) return one ?? other;
	return other.modTime > one.modTime ? other : one;
}
