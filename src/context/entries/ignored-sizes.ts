import { ContextError } from "../../errors.js";
import type { SourceTree } from "../tree/source-tree.js";

export interface IgnoredSizes {
	readonly files: number;
	/** Sum of the sizes of the regular files. */
	readonly bytes: number;
}

/** What a directory holds itself. */
export interface DirectoryContent extends IgnoredSizes {
	/** Names of the directories in it. */
	readonly directories: readonly string[];
}

/**
 * Adds up what is in directories that the walk did not open. What cannot be read is left out.
 *
 * @param contentOf the content of the directory at a path
 */
export function measureDirectories(
	directories: readonly string[],
	contentOf: (path: string) => DirectoryContent,
): IgnoredSizes {
	const steps = measureStepwise(directories, contentOf);
	for (;;) {
		const { done, value } = steps.next();
		if (done) return value;
	}
}

/** measureDirectories() in steps of one directory each, for a thread that has other things to do in between. */
export function* measureStepwise(
	directories: readonly string[],
	contentOf: (path: string) => DirectoryContent,
): Generator<undefined, IgnoredSizes, undefined> {
	let files = 0;
	let bytes = 0;
	const pending = [...directories];
	for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
		const content = contentOf(path);
		files += content.files;
		bytes += content.bytes;
		for (const name of content.directories) pending.push(`${path}/${name}`);
		yield;
	}
	return { files, bytes };
}

/** @param onPath called for every path that is looked at */
export function readContent(tree: SourceTree, path: string, onPath?: () => void): DirectoryContent {
	const content = { files: 0, bytes: 0, directories: [] as string[] };
	for (const name of unlessUnreadable(() => tree.names(path)) ?? []) {
		const found = unlessUnreadable(() => tree.look(`${path}/${name}`));
		onPath?.();
		if (found?.type === "directory") content.directories.push(name);
		else if (found !== undefined) {
			content.files += 1;
			content.bytes += found.type === "file" ? found.stats.size : 0;
		}
	}
	return content;
}

function unlessUnreadable<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch (error) {
		if (error instanceof ContextError) return undefined;
		throw error;
	}
}
