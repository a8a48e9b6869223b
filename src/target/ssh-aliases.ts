import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Environment } from "../environment.js";
import { includedFiles, MAX_INCLUDE_DEPTH, systemSshConfig } from "./ssh-config-include.js";
import { splitConfigLine } from "./ssh-config-line.js";
import { replaceVariables } from "./ssh-config-tokens.js";

/**
 * The hosts that the user's ssh_config names, Include and all, in their order: no wildcards, which name
 * nobody. What cannot be read names nobody either, nor does an Include that is another one for each host.
 * What the names mean is for ssh to say.
 */
export async function sshAliases(environment: Environment): Promise<readonly string[]> {
	const aliases = new Set<string>();
	for (const file of outermostFiles(environment)) {
		for await (const alias of aliasesIn(file, environment)) aliases.add(alias);
	}
	return [...aliases];
}

interface ConfigFile {
	readonly path: string;
	/** The user's own, or the system's: they include files from different folders. */
	readonly isUsers: boolean;
	/** How many files it is included by, one in the other. */
	readonly depth: number;
}

function outermostFiles(environment: Environment): readonly ConfigFile[] {
	const { homeDirectory, sshConfigFile, workingDirectory } = environment;
	if (sshConfigFile !== undefined) {
		return [{ path: resolve(workingDirectory, sshConfigFile), isUsers: true, depth: 0 }];
	}
	return [
		{ path: join(homeDirectory, ".ssh", "config"), isUsers: true, depth: 0 },
		{ path: systemSshConfig(environment), isUsers: false, depth: 0 },
	];
}

async function* aliasesIn(file: ConfigFile, environment: Environment): AsyncGenerator<string> {
	const text = await readFile(file.path, "utf8").catch(() => "");
	for (const line of text.split("\n")) {
		const parts = splitConfigLine(line);
		if (typeof parts !== "object") continue;
		const { keyword, args } = parts;
		if (keyword === "host") yield* args.filter((name) => !/[*?!]/.test(name));
		if (keyword !== "include") continue;
		for (const included of await includedBy(file, args, environment)) {
			yield* aliasesIn(included, environment);
		}
	}
}

async function includedBy(
	{ isUsers, depth }: ConfigFile,
	args: readonly string[],
	environment: Environment,
): Promise<readonly ConfigFile[]> {
	if (depth >= MAX_INCLUDE_DEPTH) return [];
	const patterns = args.flatMap((argument) => withoutVariables(argument, environment) ?? []);
	const found = await Promise.all(
		patterns.map((pattern) => includedFiles(pattern, isUsers, environment)),
	);
	return found.flat().map((path) => ({ path, isUsers, depth: depth + 1 }));
}

function withoutVariables(text: string, { variables }: Environment): string | undefined {
	try {
		return replaceVariables(text, {}, variables);
	} catch {
		return undefined;
	}
}
