import type { ContextEntry } from "../context/tree/manifest.js";
import type { ContextNeeds } from "./context-document.js";
import { countNeeds } from "./count-needs.js";
import type { WalkedContext } from "./walked-context.js";

export interface SurveyedNeeds {
	/** Null where the Dockerfile could not be read, or does not parse. */
	readonly needs: ContextNeeds | null;
	/** Who takes an entry, by its index: indexes in `needs.instructions`. Undefined where that is not known. */
	readonly neededBy?: (entry: number) => readonly number[];
	/** Where it does not parse, or has more sent than it takes, for people. */
	readonly warnings: readonly string[];
}

/** A from= in the mount would prevent that, but is what Docker 20.10 crashes of. */
const TMPFS_SYNCS_ALL =
	"BuildKit asks a sync for all of the context, for --mount=type=tmpfs: --transfer tar may leave some out";

/** What the Dockerfile takes of a context, whatever box it is built on. */
export async function surveyNeeds({
	dockerfile,
	entries,
	keep,
	target,
	buildArgs,
}: Pick<
	WalkedContext,
	"dockerfile" | "entries" | "keep" | "target" | "buildArgs"
>): Promise<SurveyedNeeds> {
	if (dockerfile === undefined) return { needs: null, warnings: [] };
	const { readNeeds } = await import("./dockerfile/read-needs.js");
	const text = Buffer.from(dockerfile.content).toString("utf8");
	const { failure, syncsAll, ...read } = readNeeds(text, { target, buildArgs });
	if (failure !== undefined) {
		const place = `${dockerfile.name}:${failure.line}:${failure.column}`;
		return { needs: null, warnings: [`${place}: ${failure.message}`] };
	}
	const { needs, neededBy } = countNeeds(read, entries);
	const isUnused = ({ path, type }: ContextEntry, at: number) =>
		type !== "directory" && neededBy[at]?.length === 0 && !keep.includes(path);
	const isMore = syncsAll && entries.some(isUnused);
	const warnings = isMore ? [`${dockerfile.name}: ${TMPFS_SYNCS_ALL}`] : [];
	return { needs, neededBy: (entry) => neededBy[entry] ?? [], warnings };
}
