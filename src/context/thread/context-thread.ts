import { Worker } from "node:worker_threads";
import { ContextError, InterruptedError } from "../../errors.js";
import { interrupted } from "../../interruption.js";
import { type TarProgress, TarReader } from "../content/tar-reader.js";
import type { Dating } from "../dating.js";
import type { ContextFilter } from "../entries/context-filter.js";
import type { ContextSelection } from "../entries/context-selection.js";
import type { IgnoredSizes } from "../entries/ignored-sizes.js";
import type { PartRequest, PartSummary } from "../entries/part-of-context.js";
import type { IndexParts } from "../index/content-index.js";
import type { ContextNews, KnownIndex } from "../index/context-memory.js";
import type { ContextSummary } from "../tree/manifest.js";
import { Answers } from "./answers.js";
import type { ContextWorkerInput, FromContextWorker, ToContextWorker } from "./context-messages.js";
import { RemoteSelection } from "./remote-selection.js";
import { Settlement } from "./settlement.js";

/** The worker's garbage is short-lived; the default of 48 MB would only be filled before it is emptied. */
const YOUNG_GENERATION_MB = 4;

/** A part of the context, by the number that the worker knows it by. */
interface NumberedPart {
	readonly part: number;
	readonly summary: PartSummary;
}

/** The main thread's end of the thread that walks a directory. Everything it gives may be asked for by several. */
export class ContextThread implements AsyncDisposable {
	readonly walked: Promise<ContextSummary>;
	readonly #worker: Worker;
	readonly #walked = new Settlement<ContextSummary>();
	readonly #measured = new Settlement<IgnoredSizes>();
	readonly #parted = new Answers<PartSummary | undefined>();
	readonly #learned = new Answers<IndexParts | undefined>();
	readonly #news = new Answers<ContextNews>();
	readonly #selections: RemoteSelection[] = [];
	readonly #tars: TarReader[] = [];
	#parts = 0;
	#indexes = 0;
	#measuring = false;
	#failure: Error | undefined;

	constructor(workerData: ContextWorkerInput, signal: AbortSignal) {
		this.walked = this.#walked.promise;
		this.#worker = new Worker(new URL("./context-worker.js", import.meta.url), {
			workerData,
			name: "rbuild context",
			// Flags such as --import would run in the worker too, before the walk.
			execArgv: [],
			resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
		});
		const abort = () => void this.#stop(interrupted(signal));
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

	/** @param part the number of a part; absent: everything */
	tar(
		part: number | undefined,
		dating: Dating,
		onProgress: (progress: TarProgress) => void,
	): TarReader {
		const tar = this.#tars.length;
		const reader = new TarReader(
			(chunks) => this.#ask({ type: "credit", tar, chunks, part, dating }),
			onProgress,
		);
		this.#tars.push(reader);
		if (this.#failure !== undefined) reader.stream.destroy(this.#failure);
		return reader;
	}

	/** What does not matter any more of a tar is not packed. */
	giveUp(reader: TarReader): void {
		if (reader.isOver) return;
		reader.giveUp();
		this.#ask({ type: "give-up", tar: this.#tars.indexOf(reader) });
	}

	async part(request: PartRequest): Promise<NumberedPart | undefined> {
		this.#parts += 1;
		const part = this.#parts;
		const summary = await this.#parted.next(() => this.#ask({ type: "part", part, request }));
		return summary && { part, summary };
	}

	measureIgnored(): Promise<IgnoredSizes> {
		if (this.#measuring) return this.#measured.promise;
		this.#measuring = true;
		this.#measureWhenIdle();
		return this.#measured.promise;
	}

	rememberSizes(file: string): void {
		this.#ask({ type: "remember-sizes", file });
	}

	/** @returns the number of the index */
	useIndex(known: KnownIndex, dating: Dating): number {
		this.#indexes += 1;
		this.#ask({ type: "use-index", index: this.#indexes, known, dating });
		return this.#indexes;
	}

	learn(index: number): Promise<IndexParts | undefined> {
		return this.#learned.next(() => this.#ask({ type: "learn", index }));
	}

	measureNews(index: number): Promise<ContextNews> {
		return this.#news.next(() => this.#ask({ type: "measure-news", index }));
	}

	/** @param index by which files are announced */
	async select(filter: ContextFilter, index: number | undefined): Promise<ContextSelection> {
		const selection = this.#selections.length;
		const selected = new RemoteSelection(selection, (message) => this.#ask(message));
		this.#selections.push(selected);
		if (this.#failure !== undefined) throw this.#failure;
		await selected.open(filter, index);
		return selected;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#stop(new InterruptedError("the build context was closed"));
	}

	#measureWhenIdle(): void {
		if (this.#tars.every(({ isOver }) => isOver)) this.#ask({ type: "measure-ignored" });
	}

	#ask(message: ToContextWorker): void {
		const memory = message.type === "read" ? message.memory : undefined;
		this.#worker.postMessage(message, memory === undefined ? [] : [memory]);
	}

	#receive(message: FromContextWorker): void {
		switch (message.type) {
			case "walked":
				this.#walked.resolve(message.summary);
				break;
			case "chunk":
				this.#tars[message.tar]?.take(message.bytes, message.progress);
				break;
			case "packed":
				this.#tars[message.tar]?.end();
				if (this.#measuring) this.#measureWhenIdle();
				break;
			case "parted":
				this.#parted.take(message.summary);
				break;
			case "measured":
				this.#measured.resolve(message.sizes);
				break;
			case "learned":
				this.#learned.take(message.parts);
				break;
			case "news":
				this.#news.take(message.news);
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
		this.#measured.reject(this.#failure);
		for (const answers of [this.#parted, this.#learned, this.#news]) answers.fail(this.#failure);
		for (const { stream } of this.#tars) stream.destroy(this.#failure);
		for (const selection of this.#selections) selection.fail(this.#failure);
	}

	async #stop(reason: InterruptedError): Promise<void> {
		this.#fail(reason);
		await this.#worker.terminate();
	}
}
