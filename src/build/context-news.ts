import type { LocalContext } from "../context/build-context.js";
import type { Engine } from "../engine/engine.js";
import type { Environment } from "../environment.js";
import type { Run } from "../events.js";
import type { BuildPlan } from "./build-plan.js";
import { placesOf } from "./context-index.js";
import { contextKey } from "./context-key.js";
import { type IndexCopy, readIndexCopy } from "./index-copy.js";
import { EMPTY, fetchIndex, findIndex } from "./index-store.js";

/**
 * What the box was not sent of a context in any sync before, by the index of it. Neither this machine nor
 * the box keeps anything of having been asked.
 *
 * @returns undefined where the box has no place for an index
 * @throws ContextError, InterruptedError
 */
export async function contextNews(
	engine: Engine,
	context: LocalContext,
	plan: BuildPlan,
	environment: Environment,
	run: Run,
): Promise<{ readonly files: number; readonly bytes: number } | undefined> {
	const key = await contextKey(context, plan);
	const places = placesOf(engine, context, key, environment);
	const [local, found] = await Promise.all([
		readIndexCopy(places.copy, key.digest),
		findIndex(engine, key, run),
	]);
	if (local === undefined && found === "refused") return undefined;
	const isNewer = typeof found !== "string" && isContinued(local, found);
	const index = isNewer ? await fetchIndex(engine, key, found, local, run) : undefined;
	const { parts, generation } = index ?? local ?? { parts: EMPTY, generation: new Uint8Array() };
	const hashesFile = places.hashes;
	context.memory.useIndex({ parts, generation, key: key.digest, hashesFile });
	return context.memory.measureNews();
}

/** Whether a build would go on with the box's index in place of its own copy (IndexStore.newest). */
function isContinued(
	local: IndexCopy | undefined,
	found: { readonly id: string; readonly generation: string },
): boolean {
	if (local === undefined) return true;
	const generation = Buffer.from(local.generation).toString("hex");
	return found.id !== local.imageId && found.generation === generation;
}
