import { EngineError } from "../../errors.js";
import type { BuiltImage } from "../../image/delivery.js";
import { ContextIndexes } from "../context-index/context-indexes.js";
import type { BuildPlan } from "../plan/build-plan.js";
import { announce } from "../session/announcement.js";
import { withControl } from "../session/control-session.js";
import { solve } from "../session/solve.js";
import { jointParts } from "./joint-part.js";
import type { Transfer, TransferResources } from "./transfer.js";

/** Has BuildKit ask for what it wants of a directory and does not have from an earlier build. */
export function syncTransfer({
	services,
	environment,
	named,
	indexes: questions,
}: TransferResources): Transfer {
	return {
		name: "sync",
		async send(engine, context, plan, run) {
			const directories = await named.walked();
			const indexes = await ContextIndexes.open(engine, context, directories, questions, run);
			const parts = await jointParts(directories, context, plan, engine.facts.platform);
			const announcement = await announce(context, directories, environment, indexes, parts);
			try {
				const { result, ...sent } = await withControl(
					{ engine, context, plan, announcement },
					services,
					run,
					async ({ control, request, dockerfile, layouts, signal }) => {
						const result = await solve(control, request, dockerfile, { ...run, signal });
						await layouts.commit(result);
						return result;
					},
				);
				const image = plan.image
					? { id: imageId(result), ...configDigest(result, plan), tags: plan.tags }
					: undefined;
				await Promise.all([indexes.succeeded(), indexes.settled()]);
				return { image, ...sent, tidy: () => indexes.tidy() };
			} catch (error) {
				await indexes.settled();
				await indexes.tidy();
				throw error;
			}
		},
	};
}

/** The image id in either store of the daemon's: the config's digest, or the manifest's in containerd's. */
function imageId({ "containerimage.digest": digest }: Readonly<Record<string, string>>): string {
	if (digest !== undefined) return digest;
	throw new EngineError("the daemon built an image, but sent no image id");
}

/** BuildKit makes one answer of all its exporters: an OCI archive may have another config, and be the one that told it. */
function configDigest(
	{ "containerimage.config.digest": digest }: Readonly<Record<string, string>>,
	{ exports }: BuildPlan,
): Pick<BuiltImage, "configDigest"> {
	const isSure = exports.every(({ output }) => output !== "oci");
	return isSure && digest !== undefined ? { configDigest: digest } : {};
}
