import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Environment } from "../environment.js";

/** OpenSSH's own limit on Include within Include. */
const MAX_DEPTH = 16;

/**
 * The hosts that the user's ssh_config names, Include and all, in their order: no wildcards, which name
 * nobody. What cannot be read names nobody either. What the names mean is for ssh to say.
 */
export async function sshAliases(environment: Environment): Promise<readonly string[]> {
	const { homeDirectory, sshConfigFile, workingDirectory } = environment;
	const folder = join(homeDirectory, ".ssh");
	const aliases = new Set<string>();
	const read = async (path: string, depth: number) => {
		const text = await readFile(path, "utf8").catch(() => "");
		for (const line of text.split(/\r?\n/)) {
			const [keyword, words] = readLine(line);
			if (keyword === "host") {
				for (const word of words) if (!/[*?!]/.test(word)) aliases.add(word);
			} else if (keyword === "include" && depth < MAX_DEPTH) {
				for (const word of words) {
					const pattern = resolve(
						folder,
						word.replace(/^~(?=\/|$)/, () => homeDirectory),
					);
					for (const file of await expand(pattern)) await read(file, depth + 1);
				}
			}
		}
	};
	if (sshConfigFile !== undefined) {
		await read(resolve(workingDirectory, sshConfigFile), 0);
	} else {
		await read(join(folder, "config"), 0);
		await read("/etc/ssh/ssh_config", 0);
	}
	return [...aliases];
}

/** `Host one "two" # comment` or `Host=one`. */
function readLine(line: string): readonly [keyword: string, words: readonly string[]] {
	const [, keyword = "", rest = ""] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? [];
	const words: string[] = [];
	for (const [, quoted, plain] of rest.matchAll(/"([^"]*)"|([^\s"#][^\s"]*)|#.*/g)) {
		const word = quoted ?? plain;
		if (word === undefined) break;
		words.push(word);
	}
	return [keyword.toLowerCase(), words];
}

/** The files that glob(3) finds, as far as * and ? go. */
async function expand(pattern: string): Promise<readonly string[]> {
	if (!/[*?]/.test(pattern)) return [pattern];
	const name = pattern.slice(dirname(pattern).length).replace(/^[/\\]/, "");
	const source = name
		.replace(/[.+^${}()|[\]\\]/g, "\\$&")
		.replaceAll("*", ".*")
		.replaceAll("?", ".");
	const matches = new RegExp(`^${source}$`);
	const found: string[] = [];
	for (const folder of await expand(dirname(pattern))) {
		if (!/[*?]/.test(name)) {
			found.push(join(folder, name));
			continue;
		}
		const names = await readdir(folder).catch(() => []);
		const visible = names.filter((each) => !each.startsWith(".") && matches.test(each));
		found.push(...visible.sort().map((each) => join(folder, each)));
	}
	return found;
}
