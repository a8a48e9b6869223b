import { createHash } from "node:crypto";
import type { ContentChunk } from "./content/content-reader.js";
import type { ContextSelection, SelectableDirectory } from "./entries/context-selection.js";
import { timeOfContent } from "./index/content-times.js";
import type { ContextEntry } from "./tree/manifest.js";
import { sortByBytes } from "./tree/path-bytes.js";

/**
 * A directory of a few files that are in memory and of which no image is made, such as a Dockerfile
 * from standard input. It is always given as a whole: a name with wildcards in it would not fit itself.
 *
 * @param contents by name
 */
export function fileSet(contents: ReadonlyMap<string, Uint8Array>): SelectableDirectory {
	return { select: async () => new WholeSet(contents) };
}

class WholeSet implements ContextSelection {
	readonly #contents: readonly Uint8Array[];
	#entries: readonly ContextEntry[];

	constructor(contents: ReadonlyMap<string, Uint8Array>) {
		const names = sortByBytes([...contents.keys()]);
		this.#contents = names.map((name) => contents.get(name) as Uint8Array);
		this.#entries = this.#contents.map((content, at) => entryOf(names[at] as string, content));
	}

	async list(): Promise<readonly ContextEntry[]> {
		const entries = this.#entries;
		this.#entries = [];
		return entries;
	}

	async read(ids: readonly number[]): Promise<ContentChunk> {
		const contents = ids.map((id) => this.#contents[id] as Uint8Array);
		let end = 0;
		const pieces = contents.map((content, at) => {
			const start = end;
			end += content.length;
			return { id: ids[at] as number, start, end, last: true };
		});
		return { bytes: Buffer.concat(contents), pieces };
	}

	[Symbol.dispose](): void {}
}

/**
 * BuildKit takes a file for unchanged by its size and time, so the time is made from the content. That
 * would be wrong for a file that tools see in a build, and such a one is not in here.
 */
function entryOf(path: string, content: Uint8Array): ContextEntry {
	const modTime = timeOfContent(createHash("sha256").update(content).digest());
	return { path, type: "file", size: content.length, mode: 0o644, mtimeMs: 0, modTime };
}
