import { createHash } from "node:crypto";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { ExtraFile } from "./content/extra-files.js";
import type { DockerfileLocation } from "./dockerfile-location.js";

export interface SentDockerfile {
	/** In the context, as it is sent. */
	readonly dockerfile: string;
	/** What is sent beside the context's own files, or in place of them. */
	readonly extra: readonly ExtraFile[];
	/** What of this the context does not have. */
	readonly added: readonly string[];
}

/**
 * A Dockerfile from elsewhere travels under a name made from its content, so that the tar is the same
 * when it is the same. The .dockerignore that goes with it names it too: the classic builder then takes
 * it out of the context again, so that `COPY .` does not see it (as the docker CLI does), nor a .dockerignore where
 * the context has none.
 */
export async function whatIsSent(
	{ pathInContext, content, ignore }: DockerfileLocation,
	root: string,
): Promise<SentDockerfile> {
	if (pathInContext !== undefined) return { dockerfile: pathInContext, extra: [], added: [] };
	const digest = createHash("sha256").update(content).digest("hex");
	const dockerfile = `.dockerfile.${digest.slice(0, 20)}`;
	const hasIgnoreFile = await isThere(join(root, ".dockerignore"));
	const added = [...(hasIgnoreFile ? [] : [".dockerignore"]), dockerfile];
	const rules = ignore?.content ?? Buffer.of();
	return {
		dockerfile,
		extra: [
			{ path: dockerfile, content },
			{
				path: ".dockerignore",
				content: Buffer.concat([rules, Buffer.from(`\n${added.join("\n")}\n`)]),
			},
		],
		added,
	};
}

async function isThere(path: string): Promise<boolean> {
	return lstat(path).then(
		() => true,
		() => false,
	);
}
