import type { SentPath } from "../context-document.js";

interface FileTypeTotals {
	/** Such as ".js", "no extension" or "symlinks". */
	readonly name: string;
	readonly files: number;
	readonly bytes: number;
}

/** Everything but directories by its kind, those with the most bytes first. */
export function totalFileTypes(files: Iterable<SentPath>): FileTypeTotals[] {
	const totals = new Map<string, { files: number; bytes: number }>();
	for (const { path, type, size, hardlink } of files) {
		if (type === "directory") continue;
		const name = type === "file" ? extensionOf(path) : `${type}s`;
		const total = totals.get(name) ?? { files: 0, bytes: 0 };
		totals.set(name, total);
		total.files += 1;
		if (hardlink === undefined) total.bytes += size;
	}
	return [...totals]
		.map(([name, total]) => ({ name, ...total }))
		.sort((a, b) => b.bytes - a.bytes || b.files - a.files);
}

/** Longer ones are no types, but parts of names. */
const LONGEST = 12;

/** In lower case; what only starts with a dot has none. */
function extensionOf(path: string): string {
	const dot = path.lastIndexOf(".");
	const name = path.lastIndexOf("/") + 1;
	const length = path.length - dot;
	if (dot <= name || length < 2 || length > LONGEST) return "no extension";
	return path.slice(dot).toLowerCase();
}
