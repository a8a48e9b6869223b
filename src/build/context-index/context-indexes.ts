import type { BuildContext } from "../../context/build-context.js";
import type { Engine } from "../../engine/engine.js";
import type { Run } from "../../events.js";
import type { NamedDirectory } from "../inputs/named-directories.js";
import { type ContextIndex, openContextIndex } from "./context-index.js";
import type { IndexQuestions } from "./index-questions.js";

/** The indexes of the directories that a build is made from, during that build. */
export class ContextIndexes {
	readonly main: ContextIndex | undefined;
	/** By name. */
	readonly named: ReadonlyMap<string, ContextIndex>;

	/** @throws InterruptedError */
	static async open(
		engine: Engine,
		context: BuildContext,
		named: readonly NamedDirectory[],
		questions: IndexQuestions,
		run: Run,
	): Promise<ContextIndexes> {
		const openMain = async () =>
			context.kind === "directory" && questions.main !== undefined
				? openContextIndex(engine, context.memory, questions.main, run)
				: undefined;
		const openNamed = named.map(async ({ name, directory }) => {
			const question = questions.named.get(name);
			const index = question && (await openContextIndex(engine, directory, question, run));
			return index === undefined ? [] : ([[name, index]] as const);
		});
		const [main, ...found] = await Promise.all([openMain(), ...openNamed]);
		return new ContextIndexes(main, new Map(found.flat()));
	}

	private constructor(main: ContextIndex | undefined, named: ReadonlyMap<string, ContextIndex>) {
		this.main = main;
		this.named = named;
	}

	get #all(): readonly ContextIndex[] {
		return [...(this.main === undefined ? [] : [this.main]), ...this.named.values()];
	}

	/** As ContextIndex has it. */
	async succeeded(): Promise<void> {
		await Promise.all(this.#all.map((index) => index.succeeded()));
	}

	/** As ContextIndex has it. */
	async settled(): Promise<void> {
		await Promise.all(this.#all.map((index) => index.settled()));
	}

	/** As ContextIndex has it. */
	async tidy(): Promise<void> {
		for (const index of this.#all) await index.tidy();
	}
}
