import { ContentDigest } from "../../context/index/content-digest.js";
import type { FileHashes } from "../../context/index/file-hashes.js";
import type { ContextEntry } from "../../context/tree/manifest.js";
import type { SourceTree } from "../../context/tree/source-tree.js";
import type { Advice } from "../context-document.js";
import { readStart } from "../file-start.js";

/** Less is not worth a word. */
const WORTH_A_WORD = 100_000;
/** How much is read at most, the smallest files first. */
const READ_BUDGET = 64 * 1024 * 1024;
const PATHS = 10;

/**
 * Finds files that were given a new time since they were last synced from this directory, and no new
 * content: by a checkout, an unpacked archive or a generator that writes what was there.
 *
 * @param earlier what was known of the files then
 */
export function findNewTimes(
	entries: readonly ContextEntry[],
	tree: SourceTree,
	earlier: Pick<FileHashes, "earlier">,
	signal: AbortSignal,
): Advice[] {
	const of = earlier.earlier();
	const touched: { readonly entry: ContextEntry; readonly hash: Buffer }[] = [];
	for (const entry of entries) {
		const { type, path, size, mtimeMs, hardlink } = entry;
		if (type !== "file" || hardlink !== undefined) continue;
		const before = of(path);
		if (before?.size === size && before.mtimeMs !== mtimeMs) {
			touched.push({ entry, hash: before.hash });
		}
	}
	let budget = READ_BUDGET;
	const same: ContextEntry[] = [];
	for (const { entry, hash } of touched.sort((one, other) => one.entry.size - other.entry.size)) {
		signal.throwIfAborted();
		budget -= entry.size;
		if (budget < 0) break;
		const content = readStart(tree, entry.path, entry.size);
		if (content === undefined) continue;
		const digest = new ContentDigest(content.length);
		digest.update(content);
		if (digest.hash.equals(hash)) same.push(entry);
	}
	const bytes = same.reduce((sum, { size }) => sum + size, 0);
	if (bytes < WORTH_A_WORD) return [];
	return [
		{
			kind: "new-times",
			text: "new times and old contents since the last sync: docker and buildx send them again, rbuild does not",
			files: same.length,
			bytes,
			paths: same
				.reverse()
				.slice(0, PATHS)
				.map(({ path }) => path),
			lines: [],
		},
	];
}
