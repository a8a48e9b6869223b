import { access } from "node:fs/promises";
import type { EngineQuestions } from "../../engine/engine.js";
import type { Environment } from "../../environment.js";
import type { Run } from "../../events.js";
import type { Transport } from "../../transport/transport.js";
import type { ContextKey } from "./context-key.js";
import { type IndexPlaces, indexPlaces } from "./index-places.js";
import { type FoundIndex, findIndex } from "./index-store.js";

export interface IndexedDirectory {
	/** Absolute and without symlinks. */
	readonly root: string;
	readonly key: () => Promise<ContextKey>;
}

/** Which index a daemon has of a directory. Each connection is asked once for each build. */
export class IndexQuestion {
	readonly #directory: IndexedDirectory;
	readonly #environment: Environment;
	readonly #run: Run;
	readonly #asked = new WeakMap<Transport, Promise<FoundIndex>>();
	#key: Promise<ContextKey> | undefined;

	constructor(directory: IndexedDirectory, environment: Environment, run: Run) {
		this.#directory = directory;
		this.#environment = environment;
		this.#run = run;
	}

	/** Made out when it is first wanted. */
	get key(): Promise<ContextKey> {
		this.#key ??= this.#directory.key();
		return this.#key;
	}

	/** The files on this machine. */
	async places({ transport }: EngineQuestions): Promise<IndexPlaces> {
		return indexPlaces(transport.target, this.#directory, await this.key, this.#environment);
	}

	/** Asks ahead of the build where this machine has no copy, as the build would wait for the answer then. */
	async askAhead(questions: EngineQuestions): Promise<void> {
		if (!(await this.#hasCopy(questions))) await this.answer(questions);
	}

	/** @throws InterruptedError */
	answer(questions: EngineQuestions): Promise<FoundIndex> {
		const { transport } = questions;
		const asked = this.#asked.get(transport) ?? this.#ask(questions);
		this.#asked.set(transport, asked);
		return asked;
	}

	/**
	 * Gives the answer and forgets it: the caller may store another index, and whoever comes next has to ask again.
	 * @throws InterruptedError
	 */
	take(questions: EngineQuestions): Promise<FoundIndex> {
		const asked = this.answer(questions);
		this.#asked.delete(questions.transport);
		return asked;
	}

	/**
	 * Whether the daemon is likely to have files of the context, from this machine or another one.
	 * @throws InterruptedError
	 */
	async isKnown(questions: EngineQuestions): Promise<boolean> {
		return (await this.#hasCopy(questions)) || typeof (await this.answer(questions)) !== "string";
	}

	async #ask(questions: EngineQuestions): Promise<FoundIndex> {
		return findIndex(questions, await this.key, this.#run);
	}

	async #hasCopy(questions: EngineQuestions): Promise<boolean> {
		const { copy } = await this.places(questions);
		return access(copy).then(
			() => true,
			() => false,
		);
	}
}
