import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "./environment.js";

/** Where programs keep what they can do without, as the user's system has it. Absolute. */
export function cacheFolder({
	variables,
	homeDirectory,
	platform,
}: Pick<Environment, "variables" | "homeDirectory" | "platform">): string {
	if (platform === "darwin") return join(homeDirectory, "Library", "Caches", "rbuild");
	if (platform === "win32") {
		return join(
			variables.LOCALAPPDATA ?? join(homeDirectory, "AppData", "Local"),
			"rbuild",
			"cache",
		);
	}
	// A relative one is to be ignored (XDG Base Directory Specification).
	const { XDG_CACHE_HOME = "" } = variables;
	const folder = XDG_CACHE_HOME.startsWith("/") ? XDG_CACHE_HOME : join(homeDirectory, ".cache");
	return join(folder, "rbuild");
}

/** Where a sync keeps the hashes of a directory's files. */
export function hashesFile(root: string, environment: Environment): string {
	return join(cacheFolder(environment), "file-hashes", nameOf(root));
}

/** Where it is kept how large the ignored directories in a directory are. */
export function sizesFile(root: string, environment: Environment): string {
	return join(cacheFolder(environment), "ignored-sizes", nameOf(root));
}

function nameOf(root: string): string {
	return createHash("sha256").update(root).digest("hex");
}

/** How long a file is kept that nobody has written since, in milliseconds. */
const KEPT = 90 * 24 * 3600 * 1000;

/** Removes files of projects that are not built any more. Never fails. */
export async function forgetOldFiles(folder: string): Promise<void> {
	const names = await readdir(folder).catch(() => []);
	for (const name of names) {
		const path = join(folder, name);
		const stats = await stat(path).catch(() => undefined);
		const isOld = stats?.isFile() && stats.mtimeMs < Date.now() - KEPT;
		if (isOld) await rm(path, { force: true }).catch(() => {});
	}
}
