import type { Engine } from "../engine/engine.js";
import type { ExpectedUpload } from "../events.js";
import { contextNews } from "./context-index/context-news.js";
import { syncsWholeContext } from "./inputs/needed-context.js";
import type { OpenRun } from "./open-build.js";
import type { ChosenTransfer } from "./transfer/choose-transfer.js";

/**
 * How much a build would upload.
 *
 * @returns undefined where that cannot be told
 * @throws ContextError, InterruptedError
 */
export async function expectedUpload(
	{ transfer, needed }: ChosenTransfer,
	{ plan, context, named, indexes, run }: OpenRun,
	engine: Engine,
): Promise<ExpectedUpload | undefined> {
	if (context.kind !== "directory") return undefined;
	if (transfer.name === "tar") {
		const { files, bytes } = needed ?? context.totals();
		return { files, bytes, atMost: false };
	}
	const directories = (await named.walked()).map(
		({ name, directory }) => [directory, indexes.named.get(name)] as const,
	);
	let sum = { files: 0, bytes: 0 };
	for (const [memory, question] of [[context.memory, indexes.main] as const, ...directories]) {
		// Else the builder goes by the times of files, and knows alone which ones it has.
		if (question === undefined) return undefined;
		const news = await contextNews(engine, memory, question, run);
		if (news === undefined) return undefined;
		sum = { files: sum.files + news.files, bytes: sum.bytes + news.bytes };
	}
	const syncsAll = directories.length === 0 && (await syncsWholeContext(context, plan));
	return { ...sum, atMost: !syncsAll && sum.files > 0 };
}
