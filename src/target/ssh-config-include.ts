import { readdir, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { Environment } from "../environment.js";
import { expandHome } from "./ssh-config-tokens.js";

/** OpenSSH's own limit on Include within Include. */
export const MAX_INCLUDE_DEPTH = 16;

/** Where the configuration and the known hosts of the whole machine are. */
export function systemSshFolder({ platform, variables }: Environment): string {
	// On Windows, /etc would be a folder of the current drive, which anybody may make.
	if (platform !== "win32") return "/etc/ssh";
	return join(variables.ProgramData || "C:\\ProgramData", "ssh");
}

export function systemSshConfig(environment: Environment): string {
	return join(systemSshFolder(environment), "ssh_config");
}

/**
 * The files that an argument of Include names, in the order in which they are read. They need not exist.
 * @param isUsers whether it stands in the user's configuration, not in the system's: that decides where
 * relative paths start
 */
export function includedFiles(
	pattern: string,
	isUsers: boolean,
	environment: Environment,
): Promise<string[]> {
	const named = expandHome(pattern, environment);
	const folder = isUsers ? join(environment.homeDirectory, ".ssh") : systemSshFolder(environment);
	return expandFilePattern(isAbsolute(named) ? named : join(folder, named));
}

/**
 * The files that a path with wildcards names, sorted, as glob(3) gives them: `*`, `?` and `[a-z]` in any
 * part of it, and nothing hidden unless it is asked for. Without a wildcard: the path itself.
 * @param path absolute
 */
async function expandFilePattern(path: string): Promise<string[]> {
	if (!/[*?[]/.test(path)) return [path];
	const [root = "", ...parts] = path.split(/[/\\]/);
	let found = [isAbsolute(`${root}/`) ? `${root}/` : root];
	for (const part of parts) {
		const next = await Promise.all(found.map((folder) => matchesIn(folder, part)));
		found = next.flat();
	}
	const existing = await Promise.all(found.map((file) => stat(file).catch(() => undefined)));
	return found.filter((_, index) => existing[index] !== undefined);
}

async function matchesIn(folder: string, part: string): Promise<string[]> {
	if (!/[*?[]/.test(part)) return [join(folder, part)];
	const source = part
		.replace(/[.+^${}()|\\]/g, "\\$&")
		.replace(/\[!/g, "[^")
		.replaceAll("*", ".*")
		.replaceAll("?", ".");
	let pattern: RegExp;
	try {
		pattern = new RegExp(`^${source}$`, "s");
	} catch {
		return [];
	}
	const names = await readdir(folder).catch(() => []);
	return names
		.filter((name) => pattern.test(name) && (part.startsWith(".") || !name.startsWith(".")))
		.sort()
		.map((name) => join(folder, name));
}
