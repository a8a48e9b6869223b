/**
 * The worker thread of a directory context: walks it, packs it, selects and reads parts of it, and
 * measures what was left out.
 */

import { parentPort, workerData } from "node:worker_threads";
import { ContextError } from "../../errors.js";
import { insertExtraFiles } from "../content/extra-files.js";
import { packTar, type TarChunk } from "../content/tar-pack.js";
import { datedForTar } from "../dating.js";
import { type IgnoredSizes, measureStepwise, readContent } from "../entries/ignored-sizes.js";
import {
	type PartRequest,
	partOfContext,
	type SentEntries,
	totalsOf,
} from "../entries/part-of-context.js";
import { RememberedSizes } from "../entries/remembered-sizes.js";
import { walkContext } from "../entries/walk.js";
import { IgnoreRules } from "../ignore/ignore-rules.js";
import { ContextMemory, type RememberedWalk } from "../index/context-memory.js";
import type { FileState } from "../tree/file-state.js";
import type { ContextEntry, ContextManifest } from "../tree/manifest.js";
import { isUtf8 } from "../tree/path-bytes.js";
import { requireReadable } from "../tree/read-failure.js";
import { SourceTree } from "../tree/source-tree.js";
import type { ContextWorkerInput, FromContextWorker, ToContextWorker } from "./context-messages.js";
import { Selections } from "./selections.js";

/** The longest slice of background work, in milliseconds: a request that arrives meanwhile waits for its end. */
const PAUSE_AFTER_MS = 10;

class ContextWorker {
	readonly #tree: SourceTree;
	#sizesFile: string | undefined;
	readonly #manifest: ContextManifest;
	readonly #note: RegExp | undefined;
	readonly #contents: ReadonlyMap<string, Uint8Array>;
	readonly #selections: Selections;
	readonly #walk: RememberedWalk;
	readonly #parts = new Map<number, SentEntries>();
	readonly #memories = new Map<number, ContextMemory>();
	/** What is being packed; undefined for what is packed to its end. */
	readonly #tars = new Map<number, Generator<TarChunk, void> | undefined>();

	constructor({ root, ignore, keep, extra, platform, note }: ContextWorkerInput) {
		const rules = ignore ? IgnoreRules.parse(ignore.content, ignore.file) : IgnoreRules.none();
		this.#tree = new SourceTree(root, platform);
		const hidden = new Set(extra.map(({ path }) => path));
		const lookedAt = Date.now();
		const states = new WeakMap<ContextEntry, FileState>();
		const walked = walkContext(this.#tree, rules.keeping(keep), hidden, states);
		this.#walk = { tree: this.#tree, entries: walked.entries, states, lookedAt };
		this.#manifest = insertExtraFiles(walked, extra);
		this.#note = note;
		this.#contents = new Map(extra.map(({ path, content }) => [path, content]));
		// What stands in for files of the tree is for the tar alone: the manifest is not what the tree holds.
		const known = extra.length === 0 ? { ...walked, ignore } : undefined;
		this.#selections = new Selections(this.#tree, known, states, this.#memories, post);
		const { entries: _entries, ...summary } = this.#manifest;
		const noted = notedFiles(walked.entries, note);
		const isAllUtf8 = walked.entries.every(isUtf8);
		post({ type: "walked", summary: { ...summary, lookedAt, noted, isUtf8: isAllUtf8 } });
	}

	handle(message: ToContextWorker): void {
		if (message.type === "credit") this.#pack(message);
		else if (message.type === "give-up") this.#giveUp(message.tar);
		else if (message.type === "part") this.#part(message.part, message.request);
		else if (message.type === "remember-sizes") this.#sizesFile = message.file;
		else if (message.type === "measure-ignored") this.#measure();
		else if (message.type === "use-index") this.#useIndex(message);
		else if (message.type === "learn") this.#learn(message.index);
		else if (message.type === "measure-news") this.#measureNews(message.index);
		else this.#selections.handle(message);
	}

	#useIndex({ index, known, dating }: Extract<ToContextWorker, { type: "use-index" }>): void {
		this.#memories.set(index, new ContextMemory(this.#walk, known, dating));
	}

	#learn(index: number): void {
		post({ type: "learned", parts: this.#memory(index).learn() });
	}

	#measureNews(index: number): void {
		post({ type: "news", news: this.#memory(index).measureNews() });
	}

	#memory(index: number): ContextMemory {
		const memory = this.#memories.get(index);
		if (memory === undefined) throw new Error(`there is no index ${index}`);
		return memory;
	}

	#part(part: number, request: PartRequest): void {
		const sent = partOfContext(this.#manifest, request);
		if (sent !== undefined) this.#parts.set(part, sent);
		const summary = sent && {
			...totalsOf(sent.entries),
			noted: notedFiles(sent.entries, this.#note),
			isUtf8: sent.entries.every(isUtf8),
			unreadable: sent.unreadable,
		};
		post({ type: "parted", summary });
	}

	#pack({ tar, chunks: credit, part, dating }: Extract<ToContextWorker, { type: "credit" }>): void {
		if (!this.#tars.has(tar)) {
			const parted = part === undefined ? undefined : this.#parts.get(part);
			const { entries, unreadable } = parted ?? this.#manifest;
			requireReadable(unreadable);
			this.#tars.set(tar, packTar(this.#tree, datedForTar(entries, dating), this.#contents));
		}
		const chunks = this.#tars.get(tar);
		for (let left = credit; left > 0 && chunks !== undefined; left--) {
			const { done, value } = chunks.next();
			if (done) {
				this.#tars.set(tar, undefined);
				post({ type: "packed", tar });
				return;
			}
			post({ type: "chunk", tar, ...value }, [value.bytes.buffer]);
		}
	}

	#giveUp(tar: number): void {
		this.#tars.get(tar)?.return();
		this.#tars.set(tar, undefined);
	}

	#measure(): void {
		const { files, bytes, directories } = this.#manifest.ignored;
		const remembered = this.#sizesFile && new RememberedSizes(this.#tree, this.#sizesFile);
		const steps = measureStepwise(directories, (path) =>
			remembered ? remembered.contentOf(path) : readContent(this.#tree, path),
		);
		inBetween(steps, (unopened: IgnoredSizes) => {
			const sizes = { files: files + unopened.files, bytes: bytes + unopened.bytes };
			post({ type: "measured", sizes });
			if (remembered) remembered.keep();
		});
	}
}

/** Does what nobody waits for step by step, and what somebody asks for between two of them. */
function inBetween<Result>(
	steps: Iterator<undefined, Result>,
	over: (result: Result) => void,
): void {
	const pauseAt = performance.now() + PAUSE_AFTER_MS;
	do {
		const { done, value } = steps.next();
		if (done) {
			over(value);
			return;
		}
	} while (performance.now() < pauseAt);
	setImmediate(() => reportFailure(() => inBetween(steps, over)));
}

function notedFiles(entries: readonly ContextEntry[], note: RegExp | undefined): string[] {
	if (note === undefined) return [];
	const isNoted = ({ path, type }: ContextEntry) => type === "file" && note.test(path);
	return entries.filter(isNoted).map(({ path }) => path);
}

function post(message: FromContextWorker, transfer: ArrayBuffer[] = []): void {
	parentPort?.postMessage(message, transfer);
}

/** A foreseen failure crosses the threads as data; any other ends this one as an uncaught error. */
function reportFailure(work: () => void): void {
	try {
		work();
	} catch (error) {
		if (!(error instanceof ContextError)) throw error;
		post({ type: "failed", message: error.message, hint: error.hint });
	}
}

reportFailure(() => {
	const worker = new ContextWorker(workerData);
	parentPort?.on("message", (message: ToContextWorker) =>
		reportFailure(() => worker.handle(message)),
	);
});
