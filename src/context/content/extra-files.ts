import type { ContextEntry, ContextManifest } from "../tree/manifest.js";
import { comparePaths } from "../tree/path-bytes.js";

/** A file that is sent beside those of the directory, such as a Dockerfile from elsewhere. */
export interface ExtraFile {
	/** Its path in the context, "/"-separated. What the directory has at this path is not sent. */
	readonly path: string;
	readonly content: Uint8Array;
	/** Permission bits; 0o644 if absent. */
	readonly mode?: number;
}

/** Its time is 1970, so that the tar stays the same. */
export function extraEntry({ path, content, mode = 0o644 }: ExtraFile): ContextEntry {
	return { path, type: "file", size: content.length, mode, mtimeMs: 0 };
}

/** Puts the files where a walk would have met them. */
export function insertExtraFiles(
	manifest: ContextManifest,
	extra: readonly ExtraFile[],
): ContextManifest {
	const entries = [...manifest.entries];
	let bytes = manifest.bytes;
	for (const file of extra) {
		const next = entries.findIndex((entry) => comparePaths(entry.path, file.path) > 0);
		entries.splice(next < 0 ? entries.length : next, 0, extraEntry(file));
		bytes += file.content.length;
	}
	return { ...manifest, entries, files: manifest.files + extra.length, bytes };
}
