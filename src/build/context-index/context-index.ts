import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { forgetOldFiles } from "../../cache-folder.js";
import type { IndexParts } from "../../context/index/content-index.js";
import { GENERATION_BYTES } from "../../context/index/index-part.js";
import type { DirectoryContext } from "../../context/thread/directory-context.js";
import { makeFolder } from "../../disk/folder.js";
import type { Engine } from "../../engine/engine.js";
import { ConnectionError, EngineError, RbuildError } from "../../errors.js";
import type { Run } from "../../events.js";
import { type ContextKey, sharedKey } from "./context-key.js";
import { type IndexCopy, readIndexCopy } from "./index-copy.js";
import type { IndexPlaces } from "./index-places.js";
import type { IndexQuestion } from "./index-question.js";
import { EMPTY, IndexStore, nothingSent } from "./index-store.js";
import { NotedBuild } from "./noted-build.js";

/** Milliseconds that storing the index may take beyond the end of the build. */
const STORING_TIMEOUT = 30_000;

/** What an index needs of a directory: to announce files by it, and to learn what was sent. */
export type DirectoryMemory = Pick<DirectoryContext, "walked" | "dateBy" | "useIndex" | "learn">;

/** The index of a context during one build. It only ever saves bytes: without it, or with an old one, more is sent. */
export interface ContextIndex {
	/** For the daemon's session: under which it keeps what it is sent. */
	readonly sharedKey: string;
	/** Resolves when files can be announced by it; never rejects. */
	readonly ready: Promise<void>;
	/** The context has been transferred: stores what is new, beside the build. */
	transferred(): void;
	/** The daemon keeps other directories under the same key: stores the index even if nothing is transferred. */
	keep(): void;
	/** The build has succeeded. Never rejects. */
	succeeded(): Promise<void>;
	/** Waits until all is stored. Never rejects. */
	settled(): Promise<void>;
	/** To be called then, when no build goes on on the box: removes what is not needed any more. Never rejects. */
	tidy(): Promise<void>;
}

/**
 * Looks the index of a context up. Where this machine has a copy of it, the daemon is only asked whether
 * that is the newest one, which is waited for by nothing but the announcement of files.
 *
 * @returns undefined where the daemon has no place for an index
 * @throws InterruptedError
 */
export async function openContextIndex(
	engine: Engine,
	memory: DirectoryMemory,
	question: IndexQuestion,
	run: Run,
): Promise<ContextIndex | undefined> {
	const [key, places, { lookedAt }] = await Promise.all([
		question.key,
		question.places(engine),
		memory.walked,
	]);
	const asked = question.take(engine);
	// It may fail before it is waited for.
	asked.catch(() => {});
	const local = await readIndexCopy(places.copy, key.digest);
	await makeFolder(dirname(places.hashes), 0o700).catch(() => {});
	const noted = await NotedBuild.begin(places.notes, lookedAt, engine);
	if (local !== undefined) {
		const store = new IndexStore(engine, key, places.copy, run);
		const newest = asked.then((found) => store.newest(local, found));
		const { generation } = local;
		const known = { ours: local.parts, generation, index: newest };
		return new OpenIndex({ ...known, memory, key, places, store, noted, run });
	}
	const found = await asked;
	if (found === "refused") return undefined;
	const store = new IndexStore(engine, key, places.copy, run, found === "none");
	const stored = found === "none" ? undefined : await store.fetch(found);
	// One that is lost, or was changed, begins anew: with a copy of its own on the daemon.
	const index = stored ?? {
		generation: randomBytes(GENERATION_BYTES),
		parts: EMPTY,
		imageId: undefined,
		baseId: undefined,
	};
	const { generation } = index;
	const known = { ours: EMPTY, generation, index: Promise.resolve(index) };
	return new OpenIndex({ ...known, memory, key, places, store, noted, run });
}

interface OpenIndexOptions {
	readonly memory: DirectoryMemory;
	readonly key: ContextKey;
	readonly places: IndexPlaces;
	/** Of the daemon's copy of the files, which need not be that of the index. */
	readonly generation: Uint8Array;
	readonly index: Promise<IndexCopy>;
	/** Its parts if no other machine has built since this one did. */
	readonly ours: IndexParts;
	readonly store: IndexStore;
	readonly noted: NotedBuild;
	readonly run: Run;
}

class OpenIndex implements ContextIndex {
	readonly sharedKey: string;
	readonly ready: Promise<void>;
	readonly #key: ContextKey;
	readonly #memory: DirectoryMemory;
	readonly #index: Promise<IndexCopy>;
	readonly #store: IndexStore;
	readonly #noted: NotedBuild;
	readonly #folders: readonly string[];
	readonly #run: Run;
	readonly #timeout = new AbortController();
	#stored: Promise<void> = Promise.resolve();
	#hasTransferred = false;
	#isKept = false;

	constructor({
		memory,
		key,
		places: { copy, hashes, sizes },
		generation,
		index,
		ours,
		store,
		noted,
		run,
	}: OpenIndexOptions) {
		this.sharedKey = sharedKey(key, generation);
		this.#key = key;
		this.#memory = memory;
		this.#index = index;
		this.#store = store;
		this.#noted = noted;
		this.#folders = [copy, hashes, sizes].map((file) => dirname(file));
		this.#run = run;
		this.ready = index.then(
			({ parts, generation }) => {
				memory.dateBy(noted.dating(parts === ours));
				memory.useIndex({ parts, generation, key: key.digest, hashesFile: hashes });
			},
			// Only an interruption, which ends the build.
			() => {},
		);
	}

	transferred(): void {
		// A second transfer in one build would build on what the first one stores.
		if (this.#hasTransferred) return;
		this.#hasTransferred = true;
		this.#stored = this.#storeNews().catch((error) => this.#warn(error));
	}

	keep(): void {
		this.#isKept = true;
	}

	succeeded(): Promise<void> {
		return this.#noted.succeeded();
	}

	async settled(): Promise<void> {
		const tooLong = new EngineError(`it took longer than ${STORING_TIMEOUT / 1000} s`);
		const timer = setTimeout(() => this.#timeout.abort(tooLong), STORING_TIMEOUT);
		if (this.#isKept && !this.#hasTransferred) {
			this.#stored = this.#storeAsItIs().catch((error) => this.#warn(error));
		}
		await this.#stored;
		clearTimeout(timer);
	}

	async tidy(): Promise<void> {
		const signal = AbortSignal.any([this.#run.signal, AbortSignal.timeout(STORING_TIMEOUT)]);
		// What is left is removed by the next build.
		await this.#store.tidy(signal).catch(() => {});
	}

	get #signal(): AbortSignal {
		return AbortSignal.any([this.#run.signal, this.#timeout.signal]);
	}

	async #storeNews(): Promise<void> {
		const index = await this.#index;
		const news = await this.#memory.learn();
		await this.#store.store(index, news, this.#signal);
		if (news?.base !== undefined) await Promise.all(this.#folders.map(forgetOldFiles));
	}

	/** Where it is stored nowhere yet, it has nothing but its generation. */
	async #storeAsItIs(): Promise<void> {
		const index = await this.#index;
		const parts = index.parts === EMPTY ? nothingSent(index, this.#key) : undefined;
		await this.#store.store(index, parts, this.#signal);
	}

	#warn(error: unknown): void {
		// Whoever lost the connection, or ended the build, is told so already.
		if (this.#run.signal.aborted || error instanceof ConnectionError) return;
		const { reason = error } = this.#timeout.signal;
		this.#run.emit({
			type: "warning",
			message: `the index of what was sent could not be stored: ${reasonOf(reason)}`,
			hint: "the next build may send more than it needs to; --no-context-index turns the index off",
		});
	}
}

function reasonOf(error: unknown): string {
	return error instanceof RbuildError ? error.message : String(error);
}
