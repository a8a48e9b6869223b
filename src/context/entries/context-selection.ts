import type { ContentChunk } from "../content/content-reader.js";
import type { ContextEntry } from "../tree/manifest.js";
import type { ContextFilter } from "./context-filter.js";

/** A directory of which parts can be asked for, such as the build context. */
export interface SelectableDirectory {
	/** @throws ContextError, InterruptedError */
	select(filter: ContextFilter): Promise<ContextSelection>;
}

/** A part of a directory. All of its methods fail with ContextError or InterruptedError. */
export interface ContextSelection extends Disposable {
	/**
	 * The next entries: parents before children, siblings in the byte order of their names. None at the
	 * end.
	 */
	list(): Promise<readonly ContextEntry[]>;
	/**
	 * Asks for the content of further files, by their position among all entries, and gives the next
	 * piece of what was asked for so far: files come in that order, each from its start to its end. It
	 * may be asked again before it has answered.
	 *
	 * A file that is not what its entry says fails it, by name.
	 *
	 * @param gzipLevel how hard to try to compress that piece, as zlib has it; 0 for not at all
	 * @param memory of a chunk that nobody reads any more: it is taken away, and may become another's
	 */
	read(ids: readonly number[], gzipLevel: number, memory?: ArrayBuffer): Promise<ContentChunk>;
}
