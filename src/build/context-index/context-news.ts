import type { DirectoryContext } from "../../context/thread/directory-context.js";
import type { Engine } from "../../engine/engine.js";
import type { Run } from "../../events.js";
import { type IndexCopy, readIndexCopy } from "./index-copy.js";
import type { IndexQuestion } from "./index-question.js";
import { EMPTY, fetchIndex } from "./index-store.js";

/**
 * What the box was not sent of a context in any sync before, by the index of it. Neither this machine nor
 * the box keeps anything of having been asked.
 *
 * @returns undefined where the box has no place for an index
 * @throws ContextError, InterruptedError
 */
export async function contextNews(
	engine: Engine,
	memory: Pick<DirectoryContext, "useIndex" | "measureNews">,
	question: IndexQuestion,
	run: Run,
): Promise<{ readonly files: number; readonly bytes: number } | undefined> {
	const [key, places] = await Promise.all([question.key, question.places(engine)]);
	const [local, found] = await Promise.all([
		readIndexCopy(places.copy, key.digest),
		question.answer(engine),
	]);
	if (local === undefined && found === "refused") return undefined;
	const isNewer = typeof found !== "string" && found.id !== local?.imageId;
	const fetched = isNewer ? await fetchIndex(engine, key, found, local, run) : undefined;
	const { parts, generation } = newest(local, fetched);
	const hashesFile = places.hashes;
	memory.useIndex({ parts, generation, key: key.digest, hashesFile });
	return memory.measureNews();
}

/** What a build would know of the files that the box has for it (IndexStore.newest). */
function newest(
	local: IndexCopy | undefined,
	fetched: IndexCopy | undefined,
): Pick<IndexCopy, "parts" | "generation"> {
	const nothing = { parts: EMPTY, generation: new Uint8Array() };
	if (local === undefined || fetched === undefined) return fetched ?? local ?? nothing;
	// With the times of another generation, the box has none of its files.
	const isSame = Buffer.from(local.generation).equals(fetched.generation);
	return isSame ? fetched : nothing;
}
