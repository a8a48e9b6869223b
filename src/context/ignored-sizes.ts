import { ContextError } from "../errors.js";
import type { SourceTree } from "./source-tree.js";

export interface IgnoredSizes {
	readonly files: number;
	/** Sum of the sizes of the regular files. */
	readonly bytes: number;
}

/**
 * Adds up what is in directories that the walk did not open. What cannot be read is left out.
 *
 * @param onPath called for every path that is looked at
 */
export function measureDirectories(
	tree: SourceTree,
	directories: readonly string[],
	onPath?: () => void,
): IgnoredSizes {
	let files = 0;
	let bytes = 0;
	const pending = [...directories];
	for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
		for (const name of unlessUnreadable(() => tree.names(path as string)) ?? []) {
			const child = `${path}/${name}`;
			const found = unlessUnreadable(() => tree.look(child));
			onPath?.();
			if (found?.type === "directory") pending.push(child);
			else if (found !== undefined) {
				files += 1;
				bytes += found.type === "file" ? found.stats.size : 0;
			}
		}
	}
	return { files, bytes };
}

function unlessUnreadable<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch (error) {
		if (error instanceof ContextError) return undefined;
		throw error;
	}
}
