import type { ContextNeeds } from "./context-document.js";
import { countNeeds } from "./count-needs.js";
import type { WalkedContext } from "./walked-context.js";

export interface SurveyedNeeds {
	/** Null where the Dockerfile could not be read, or does not parse. */
	readonly needs: ContextNeeds | null;
	/** Who takes an entry, by its index: indexes in `needs.instructions`. Undefined where that is not known. */
	readonly neededBy?: (entry: number) => readonly number[];
	/** Where it does not parse, for people. */
	readonly warnings: readonly string[];
}

/** What the Dockerfile takes of a context, whatever box it is built on. */
export async function surveyNeeds({
	dockerfile,
	entries,
	target,
	buildArgs,
}: Pick<WalkedContext, "dockerfile" | "entries" | "target" | "buildArgs">): Promise<SurveyedNeeds> {
	if (dockerfile === undefined) return { needs: null, warnings: [] };
	const { readNeeds } = await import("./dockerfile/read-needs.js");
	const text = Buffer.from(dockerfile.content).toString("utf8");
	const { failure, ...read } = readNeeds(text, { target, buildArgs });
	if (failure !== undefined) {
		const place = `${dockerfile.name}:${failure.line}:${failure.column}`;
		return { needs: null, warnings: [`${place}: ${failure.message}`] };
	}
	const { needs, neededBy } = countNeeds(read, entries);
	return { needs, neededBy: (entry) => neededBy[entry] ?? [], warnings: [] };
}
