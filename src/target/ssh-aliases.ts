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
	const { homeDirectory, sshConfigFile, workingDirectory } = environment;
	const aliases = new Set<string>();
	if (sshConfigFile !== undefined) {
		await read(resolve(workingDirectory, sshConfigFile), true, 0);
	} else {
		await read(join(homeDirectory, ".ssh", "config"), true, 0);
		await read(systemSshConfig(environment), false, 0);
	}
	return [...aliases];

	async function read(path: string, isUsers: boolean, depth: number): Promise<void> {
		const text = await readFile(path, "utf8").catch(() => "");
		for (const line of text.split("\n")) {
			const parts = splitConfigLine(line);
			if (typeof parts !== "object") continue;
			if (parts.keyword === "host") {
				for (const name of parts.args) if (!/[*?!]/.test(name)) aliases.add(name);
			} else if (parts.keyword === "include" && depth < MAX_INCLUDE_DEPTH) {
				for (const argument of parts.args) {
					const pattern = withoutVariables(argument, environment);
					if (pattern === undefined) continue;
					for (const file of await includedFiles(pattern, isUsers, environment)) {
						await read(file, isUsers, depth + 1);
					}
				}
			}
		}
	}
}

function withoutVariables(text: string, { variables }: Environment): string | undefined {
	try {
		return replaceVariables(text, {}, variables);
	} catch {
		return undefined;
	}
}
