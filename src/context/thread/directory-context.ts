import type { Readable } from "node:stream";
import type { ExtraFile } from "../content/extra-files.js";
import type { TarProgress, TarReader } from "../content/tar-reader.js";
import { type Dating, NO_BUILD_BEFORE } from "../dating.js";
import type { ContextFilter } from "../entries/context-filter.js";
import type { ContextSelection, SelectableDirectory } from "../entries/context-selection.js";
import type { IgnoredSizes } from "../entries/ignored-sizes.js";
import type { PartRequest, PartTotals } from "../entries/part-of-context.js";
import type { IndexParts } from "../index/content-index.js";
import type { ContextNews, KnownIndex } from "../index/context-memory.js";
import type { ContextSummary, Unreadable } from "../tree/manifest.js";
import { ContextThread } from "./context-thread.js";

export interface DirectoryContextOptions {
	/** An absolute directory, or a symlink to one. */
	readonly root: string;
	/** The .dockerignore that applies; `file` is its name in messages. */
	readonly ignore?: { readonly content: Uint8Array; readonly file: string };
	/** Paths in the context that are sent whatever the rules say: the Dockerfile and .dockerignore. */
	readonly keep: readonly string[];
	readonly extra?: readonly ExtraFile[];
	readonly platform: NodeJS.Platform;
	/** Which paths of files to note in the summary; absent: none. */
	readonly note?: RegExp | undefined;
}

/** A build context that is a directory. Closing it stops whatever is still going on. */
export interface DirectoryContext extends SelectableDirectory, AsyncDisposable {
	/** Rejects with ContextError or InterruptedError. */
	readonly walked: Promise<ContextSummary>;
	/**
	 * The context as an uncompressed tar; may be asked for before the walk is done. It holds at most
	 * a few MB of it in memory, however slowly it is read. Fails with ContextError, also for what cannot be
	 * read, or changes while it is, or InterruptedError. Asked for again, it begins anew, and what was not
	 * read of the one before does not come any more.
	 *
	 * @param onProgress called at most ten times a second, and at the end.
	 */
	tar(onProgress: (progress: TarProgress) => void): Readable;
	/**
	 * A part of the context, for builds that need no more; undefined where that is everything. Rejects as
	 * `walked`.
	 */
	part(request: PartRequest): Promise<ContextPart | undefined>;
	/**
	 * All that is left out: what the walk saw of it, and the content of the directories that it did not
	 * open, as far as that can be read. Begins when a tar that was begun is
	 * packed, and takes as long as a walk over those directories.
	 */
	measureIgnored(): Promise<IgnoredSizes>;
	/** From now on, what was measured is kept in that file from one run to the next. Absolute. */
	rememberSizes(file: string): void;
	/** From now on, files are dated by this, in what an index does not know and in every tar. */
	dateBy(dating: Dating): void;
	/** From now on, a selection announces files as the index knows them. */
	useIndex(index: KnownIndex): void;
	/**
	 * After a selection was transferred: the parts of the index that have to be stored anew, if there is
	 * anything new. May be asked for once for each transfer.
	 */
	learn(): Promise<IndexParts | undefined>;
	/** What the index that is used does not have, of all that would be sent. Changes nothing. */
	measureNews(): Promise<ContextNews>;
	/** The same walk for another daemon, with an index and a tar of its own. To close either closes both. */
	forAnotherBox(): DirectoryContext;
}

export interface ContextPart {
	/** As in ContextSummary. */
	readonly noted: readonly string[];
	readonly isUtf8: boolean;
	/** What belongs to it and cannot be read: its tar fails with that. */
	readonly unreadable: readonly Unreadable[];
	totals(): PartTotals;
	/** As DirectoryContext has it; one of them at a time. */
	tar(onProgress: (progress: TarProgress) => void): Readable;
}

/** Starts to walk a directory, in a worker thread. */
export function openDirectoryContext(
	options: DirectoryContextOptions,
	signal: AbortSignal,
): DirectoryContext {
	const { root, ignore, keep, extra = [], platform, note } = options;
	const input = { root, ignore, keep, extra, platform, note };
	return new WalkedDirectory(new ContextThread(input, signal));
}

class WalkedDirectory implements DirectoryContext {
	readonly walked: Promise<ContextSummary>;
	readonly #thread: ContextThread;
	#tar: TarReader | undefined;
	#index: number | undefined;
	#dating: Dating = NO_BUILD_BEFORE;

	constructor(thread: ContextThread) {
		this.#thread = thread;
		this.walked = thread.walked;
	}

	tar(onProgress: (progress: TarProgress) => void): Readable {
		return this.#tarOf(undefined, onProgress);
	}

	async part(request: PartRequest): Promise<ContextPart | undefined> {
		const found = await this.#thread.part(request);
		if (found === undefined) return undefined;
		const { part, summary } = found;
		const { noted, isUtf8, unreadable, ...totals } = summary;
		const tar: ContextPart["tar"] = (onProgress) => this.#tarOf(part, onProgress);
		return { noted, isUtf8, unreadable, totals: () => totals, tar };
	}

	measureIgnored(): Promise<IgnoredSizes> {
		return this.#thread.measureIgnored();
	}

	rememberSizes(file: string): void {
		this.#thread.rememberSizes(file);
	}

	dateBy(dating: Dating): void {
		this.#dating = dating;
	}

	useIndex(index: KnownIndex): void {
		this.#index = this.#thread.useIndex(index, this.#dating);
	}

	async learn(): Promise<IndexParts | undefined> {
		return this.#index === undefined ? undefined : this.#thread.learn(this.#index);
	}

	measureNews(): Promise<ContextNews> {
		if (this.#index === undefined) throw new Error("there is no index yet");
		return this.#thread.measureNews(this.#index);
	}

	select(filter: ContextFilter): Promise<ContextSelection> {
		return this.#thread.select(filter, this.#index);
	}

	forAnotherBox(): DirectoryContext {
		return new WalkedDirectory(this.#thread);
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.#thread[Symbol.asyncDispose]();
	}

	#tarOf(part: number | undefined, onProgress: (progress: TarProgress) => void): Readable {
		if (this.#tar !== undefined) this.#thread.giveUp(this.#tar);
		this.#tar = this.#thread.tar(part, this.#dating, onProgress);
		return this.#tar.stream;
	}
}
