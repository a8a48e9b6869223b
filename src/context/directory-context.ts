import type { Readable } from "node:stream";
import { Worker } from "node:worker_threads";
import { ContextError, InterruptedError } from "../errors.js";
import type { IndexParts } from "./content-index.js";
import type { ContextFilter } from "./context-filter.js";
import type { KnownIndex } from "./context-memory.js";
import type {
	ContextNews,
	ContextWorkerInput,
	FromContextWorker,
	ToContextWorker,
} from "./context-messages.js";
import type { ContextSelection, SelectableDirectory } from "./context-selection.js";
import type { ExtraFile } from "./extra-files.js";
import type { IgnoredSizes } from "./ignored-sizes.js";
import type { ContextManifest, ContextSummary } from "./manifest.js";
import type { PartRequest, PartTotals } from "./part-of-context.js";
import { RemoteSelection } from "./remote-selection.js";
import { Settlement } from "./settlement.js";
import { type TarProgress, TarReader } from "./tar-reader.js";

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
	/** Where sizes of ignored directories are remembered, absolute; absent: nowhere. */
	readonly sizesFile?: string | undefined;
}

/** A build context that is a directory. Closing it stops whatever is still going on. */
export interface DirectoryContext extends SelectableDirectory, AsyncDisposable {
	/** Rejects with ContextError or InterruptedError. */
	readonly walked: Promise<ContextSummary>;
	/** With every entry: 50,000 of them take 30 MB here too. Rejects as `walked`. */
	manifest(): Promise<ContextManifest>;
	/**
	 * The context as an uncompressed tar; may be asked for before the manifest is there. It holds at most
	 * a few MB of it in memory, however slowly it is read. Fails with ContextError, also for a file that
	 * changes while it is read, or InterruptedError. Asked for again, it begins anew, and what was not
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
	/** From now on, a selection announces files as the index knows them. */
	useIndex(index: KnownIndex): void;
	/**
	 * After a selection was transferred: the parts of the index that have to be stored anew, if there is
	 * anything new. May be asked for once for each transfer.
	 */
	learn(): Promise<IndexParts | undefined>;
	/** What the index that is used does not have, of all that would be sent. Changes nothing. */
	measureNews(): Promise<ContextNews>;
}

export interface ContextPart {
	totals(): PartTotals;
	/** As DirectoryContext has it; one of them at a time. */
	tar(onProgress: (progress: TarProgress) => void): Readable;
}

/** Starts to walk a directory, in a worker thread. */
export function openDirectoryContext(
	options: DirectoryContextOptions,
	signal: AbortSignal,
): DirectoryContext {
	return new WorkerContext(options, signal);
}

/** The worker's garbage is short-lived; the default of 48 MB would only be filled before it is emptied. */
const YOUNG_GENERATION_MB = 4;

class WorkerContext implements DirectoryContext {
	readonly walked: Promise<ContextSummary>;
	readonly #worker: Worker;
	readonly #walked = new Settlement<ContextSummary>();
	readonly #manifest = new Settlement<ContextManifest>();
	readonly #measured = new Settlement<IgnoredSizes>();
	readonly #news = new Settlement<ContextNews>();
	readonly #parted: Settlement<PartTotals | undefined>[] = [];
	readonly #learned: Settlement<IndexParts | undefined>[] = [];
	readonly #selections: RemoteSelection[] = [];
	#tar: TarReader | undefined;
	#tars = 0;
	#parts = 0;
	#packed = false;
	#measuring = false;
	#failure: Error | undefined;

	constructor(options: DirectoryContextOptions, signal: AbortSignal) {
		const workerData: ContextWorkerInput = {
			root: options.root,
			ignore: options.ignore,
			keep: options.keep,
			extra: options.extra ?? [],
			platform: options.platform,
			note: options.note,
			sizesFile: options.sizesFile,
		};
		this.walked = this.#walked.promise;
		this.#worker = new Worker(new URL("./context-worker.js", import.meta.url), {
			workerData,
			name: "rbuild context",
			// Flags such as --import would run in the worker too, before the walk.
			execArgv: [],
			resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
		});
		const abort = () => void this.#stop(interruption(signal));
		this.#worker
			.on("message", (message: FromContextWorker) => this.#receive(message))
			.on("error", (error) => this.#fail(error))
			.on("exit", () => {
				signal.removeEventListener("abort", abort);
				this.#fail(new Error("the worker of the build context ended on its own"));
			});
		if (signal.aborted) abort();
		else signal.addEventListener("abort", abort);
	}

	async manifest(): Promise<ContextManifest> {
		await this.walked;
		this.#ask({ type: "manifest" });
		return this.#manifest.promise;
	}

	tar(onProgress: (progress: TarProgress) => void): Readable {
		return this.#tarOf(undefined, onProgress);
	}

	async part(request: PartRequest): Promise<ContextPart | undefined> {
		const parted = new Settlement<PartTotals | undefined>();
		if (this.#failure !== undefined) parted.reject(this.#failure);
		this.#parted.push(parted);
		this.#parts += 1;
		const part = this.#parts;
		this.#ask({ type: "part", part, request });
		const totals = await parted.promise;
		return totals && { totals: () => totals, tar: (onProgress) => this.#tarOf(part, onProgress) };
	}

	#tarOf(part: number | undefined, onProgress: (progress: TarProgress) => void): Readable {
		this.#tars += 1;
		const tar = this.#tars;
		this.#tar?.giveUp();
		this.#tar = new TarReader(
			(chunks) => this.#ask({ type: "credit", tar, chunks, part }),
			onProgress,
		);
		this.#packed = false;
		if (this.#failure !== undefined) this.#tar.stream.destroy(this.#failure);
		return this.#tar.stream;
	}

	measureIgnored(): Promise<IgnoredSizes> {
		if (this.#measuring) return this.#measured.promise;
		this.#measuring = true;
		if (this.#tar === undefined || this.#packed) this.#ask({ type: "measure-ignored" });
		return this.#measured.promise;
	}

	useIndex(index: KnownIndex): void {
		this.#ask({ type: "use-index", index });
	}

	learn(): Promise<IndexParts | undefined> {
		const learned = new Settlement<IndexParts | undefined>();
		if (this.#failure !== undefined) learned.reject(this.#failure);
		this.#learned.push(learned);
		this.#ask({ type: "learn" });
		return learned.promise;
	}

	measureNews(): Promise<ContextNews> {
		this.#ask({ type: "measure-news" });
		return this.#news.promise;
	}

	async select(filter: ContextFilter): Promise<ContextSelection> {
		const selection = this.#selections.length;
		const selected = new RemoteSelection(selection, (message) => this.#ask(message));
		this.#selections.push(selected);
		if (this.#failure !== undefined) throw this.#failure;
		await selected.open(filter);
		return selected;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#stop(new InterruptedError("the build context was closed"));
	}

	#ask(message: ToContextWorker): void {
		this.#worker.postMessage(message);
	}

	#receive(message: FromContextWorker): void {
		switch (message.type) {
			case "walked":
				this.#walked.resolve(message.summary);
				break;
			case "manifest":
				this.#manifest.resolve(message.manifest);
				break;
			case "chunk":
				if (message.tar === this.#tars) this.#tar?.take(message.bytes, message.progress);
				break;
			case "packed":
				if (message.tar !== this.#tars) break;
				this.#packed = true;
				this.#tar?.end();
				if (this.#measuring) this.#ask({ type: "measure-ignored" });
				break;
			case "parted":
				this.#parted.shift()?.resolve(message.totals);
				break;
			case "measured":
				this.#measured.resolve(message.sizes);
				break;
			case "learned":
				this.#learned.shift()?.resolve(message.parts);
				break;
			case "news":
				this.#news.resolve(message.news);
				break;
			case "selected":
			case "entries":
			case "content":
				this.#selections[message.selection]?.take(message);
				break;
			case "failed":
				this.#fail(new ContextError(message.message, { hint: message.hint }));
				break;
		}
	}

	#fail(error: Error): void {
		this.#failure ??= error;
		this.#walked.reject(this.#failure);
		this.#manifest.reject(this.#failure);
		this.#measured.reject(this.#failure);
		this.#news.reject(this.#failure);
		this.#tar?.stream.destroy(this.#failure);
		for (const selection of this.#selections) selection.fail(this.#failure);
		for (const parted of this.#parted) parted.reject(this.#failure);
		for (const learned of this.#learned) learned.reject(this.#failure);
	}

	async #stop(reason: InterruptedError): Promise<void> {
		this.#fail(reason);
		await this.#worker.terminate();
	}
}

function interruption(signal: AbortSignal): InterruptedError {
	return signal.reason instanceof InterruptedError
		? signal.reason
		: new InterruptedError("interrupted");
}
