import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, hashesFile, sizesFile } from "../../cache-folder.js";
import type { Environment } from "../../environment.js";
import type { ContextKey } from "./context-key.js";
import type { IndexedDirectory } from "./index-question.js";

/** Where this machine keeps what it knows of a context. */
export interface IndexPlaces {
	/** Of the index that a daemon has. */
	readonly copy: string;
	readonly hashes: string;
	readonly sizes: string;
	/** See NotedBuild. */
	readonly noted: string;
}

/** @param target the daemon */
export function indexPlaces(
	target: string,
	{ root }: Pick<IndexedDirectory, "root">,
	{ digest }: ContextKey,
	environment: Environment,
): IndexPlaces {
	const name = createHash("sha256")
		.update(`${target}\0${digest.toString("hex")}`)
		.digest("hex");
	return {
		copy: join(cacheFolder(environment), "context-index", name),
		noted: join(cacheFolder(environment), "last-builds", name),
		hashes: hashesFile(root, environment),
		sizes: sizesFile(root, environment),
	};
}
