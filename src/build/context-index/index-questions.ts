import type { BuildContext } from "../../context/build-context.js";
import type { EngineQuestions } from "../../engine/engine.js";
import type { Environment } from "../../environment.js";
import type { Run } from "../../events.js";
import type { BuildPlan } from "../plan/build-plan.js";
import { contextKey, namedContextKey } from "./context-key.js";
import { IndexQuestion } from "./index-question.js";

/** Which indexes a daemon has of the directories that a build is made from. */
export interface IndexQuestions {
	/** Of the build context; absent where it is no directory. */
	readonly main: IndexQuestion | undefined;
	/** Of the named directories, by name. */
	readonly named: ReadonlyMap<string, IndexQuestion>;
}

/** Empty where the build is to do without an index. */
export function indexQuestions(
	plan: BuildPlan,
	context: BuildContext,
	environment: Environment,
	run: Run,
): IndexQuestions {
	if (!plan.contextIndex) return { main: undefined, named: new Map() };
	const main =
		context.kind === "directory"
			? new IndexQuestion(
					{ root: context.root, key: () => contextKey(context, plan) },
					environment,
					run,
				)
			: undefined;
	const named = new Map<string, IndexQuestion>();
	for (const [name, one] of plan.buildkit.namedContexts) {
		if (one.kind !== "directory") continue;
		const { root } = one;
		const key = () => namedContextKey(name, root, plan);
		named.set(name, new IndexQuestion({ root, key }, environment, run));
	}
	return { main, named };
}

/** Asks before anybody wants to know, so that nobody has to wait for the answer then. */
export function askAhead({ main, named }: IndexQuestions, questions: EngineQuestions): void {
	for (const question of [...(main === undefined ? [] : [main]), ...named.values()]) {
		// Who needs it will hear of the failure.
		question.askAhead(questions).catch(() => {});
	}
}
