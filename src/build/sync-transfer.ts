import { EngineError } from "../errors.js";
import { openContextIndex } from "./context-index.js";
import { withControl } from "./control-session.js";
import { placeKey } from "./place-key.js";
import { solve } from "./solve.js";
import type { Transfer, TransferRooms } from "./transfer.js";

/** Has BuildKit ask for what it wants of a directory and does not have from an earlier build. */
export function syncTransfer({ services, environment, index: question }: TransferRooms): Transfer {
	return {
		name: "sync",
		async send(engine, context, plan, run) {
			const isLocal = context.kind === "directory";
			const index =
				isLocal && question !== undefined
					? await openContextIndex(engine, context, question, run)
					: undefined;
			const place = isLocal ? context.root : "";
			const sharedKey = index?.sharedKey ?? (await placeKey(place, environment));
			try {
				const { result, ...sent } = await withControl(
					engine,
					context,
					plan,
					{ services, index, sharedKey },
					run,
					async ({ control, request, dockerfile, layouts, signal }) => {
						const result = await solve(control, request, dockerfile, { ...run, signal });
						await layouts.commit(result);
						return result;
					},
				);
				const image = plan.image ? { id: imageId(result), tags: plan.tags } : undefined;
				await index?.settled();
				return { image, ...sent, ...(index && { tidy: () => index.tidy() }) };
			} catch (error) {
				await index?.settled();
				await index?.tidy();
				throw error;
			}
		},
	};
}

/** The image id in either store of the daemon's: the config's digest, or the manifest's in containerd's. */
function imageId({ "containerimage.digest": digest }: Readonly<Record<string, string>>): string {
	if (digest !== undefined) return digest;
	throw new EngineError("the daemon built an image and did not say which");
}
