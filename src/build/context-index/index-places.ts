import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, hashesFile, sizesFile } from "../../cache-folder.js";
import type { Environment } from "../../environment.js";
import type { ContextKey } from "./context-key.js";
import type { IndexedDirectory } from "./index-question.js";
import type { BuildNotes } from "./noted-build.js";

/** Where this machine keeps what it knows of a context. */
export interface IndexPlaces {
	/** Of the index that a daemon has. */
	readonly copy: string;
	readonly hashes: string;
	readonly sizes: string;
	readonly notes: BuildNotes;
}

/** @param target the daemon */
export function indexPlaces(
	target: string,
	{ root }: Pick<IndexedDirectory, "root">,
	{ name, digest }: ContextKey,
	environment: Environment,
): IndexPlaces {
	const folder = cacheFolder(environment);
	return {
		copy: join(folder, "context-index", digestOf(target, digest.toString("hex"))),
		hashes: hashesFile(root, environment),
		sizes: sizesFile(root, environment),
		notes: {
			seen: join(folder, "last-builds", digestOf(target, "directory", root)),
			ended: join(folder, "last-builds", digestOf(target, "context", name)),
		},
	};
}

function digestOf(...parts: readonly string[]): string {
	return createHash("sha256").update(parts.join("\0")).digest("hex");
}
