import { createHash } from "node:crypto";
import type { DockerfileLocation } from "./dockerfile-location.js";
import type { ExtraFile } from "./extra-files.js";

/**
 * A Dockerfile from elsewhere travels under a name made from its content, so that the tar is the same
 * when it is the same. The .dockerignore that goes with it names it too: the classic builder then takes
 * it out of the context again, so that `COPY .` does not see it (as the docker CLI does).
 */
export function whatIsSent({ pathInContext, content, ignore }: DockerfileLocation): {
	readonly dockerfile: string;
	readonly extra: readonly ExtraFile[];
} {
	if (pathInContext !== undefined) return { dockerfile: pathInContext, extra: [] };
	const digest = createHash("sha256").update(content).digest("hex");
	const dockerfile = `.dockerfile.${digest.slice(0, 20)}`;
	const rules = ignore?.content ?? Buffer.from(".dockerignore");
	return {
		dockerfile,
		extra: [
			{ path: dockerfile, content },
			{ path: ".dockerignore", content: Buffer.concat([rules, Buffer.from(`\n${dockerfile}\n`)]) },
		],
	};
}
