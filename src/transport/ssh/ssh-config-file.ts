import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import { matchesHost, matchesPattern } from "./host-pattern.js";
import type { SshOptions } from "./ssh-settings.js";

const SYSTEM_CONFIG = "/etc/ssh/ssh_config";
/** OpenSSH's own limit on Include within Include. */
const MAX_DEPTH = 16;

/**
 * Reads ssh_config for machines without an ssh program: Host, `Match all`, Include; of each keyword
 * the first value wins, and every IdentityFile counts. Other Match blocks are skipped.
 * @throws UsageError for a file that was named explicitly and cannot be read.
 */
export async function readSshConfig(host: string, environment: Environment): Promise<SshOptions> {
	const reader = new ConfigReader(host, environment);
	if (environment.sshConfigFile !== undefined) {
		await reader.readNamed(environment.sshConfigFile);
	} else {
		await reader.read(join(environment.homeDirectory, ".ssh", "config"), 0);
		await reader.read(SYSTEM_CONFIG, 0);
	}
	return reader.options;
}

class ConfigReader {
	readonly options = new Map<string, string[]>();
	readonly #host: string;
	readonly #environment: Environment;

	constructor(host: string, environment: Environment) {
		this.#host = host;
		this.#environment = environment;
	}

	async readNamed(path: string): Promise<void> {
		if (!(await this.read(path, 0))) {
			throw new UsageError(`cannot read the ssh config file ${path}`);
		}
	}

	/** @returns false when the file cannot be read, which matters only for one named explicitly. */
	async read(path: string, depth: number): Promise<boolean> {
		let text: string;
		try {
			text = await readFile(path, "utf8");
		} catch {
			return false;
		}
		let applies = true;
		for (const line of text.split(/\r?\n/)) {
			const [keyword, ...args] = splitLine(line);
			switch (keyword?.toLowerCase()) {
				case undefined:
					break;
				case "host":
					applies = matchesHost(this.#host, args);
					break;
				case "match":
					applies = args.length === 1 && args[0]?.toLowerCase() === "all";
					break;
				case "include":
					if (applies && depth < MAX_DEPTH) {
						await this.#include(args, depth + 1);
					}
					break;
				default:
					if (applies && keyword !== undefined && args.length > 0) {
						this.#set(keyword.toLowerCase(), args);
					}
			}
		}
		return true;
	}

	#set(keyword: string, args: string[]): void {
		if (keyword === "identityfile") {
			this.options.set(keyword, [...(this.options.get(keyword) ?? []), ...args]);
		} else if (!this.options.has(keyword)) {
			this.options.set(keyword, args);
		}
	}

	async #include(patterns: readonly string[], depth: number): Promise<void> {
		for (const pattern of patterns) {
			const home = pattern.replace(/^~(?=[/\\]|$)/, () => this.#environment.homeDirectory);
			const path = isAbsolute(home) ? home : join(this.#environment.homeDirectory, ".ssh", home);
			for (const file of await expandFileName(path)) {
				await this.read(file, depth);
			}
		}
	}
}

/** Wildcards in the file name only, sorted as glob(3) does. */
async function expandFileName(path: string): Promise<string[]> {
	const pattern = basename(path);
	if (!/[*?]/.test(pattern)) {
		return [path];
	}
	const names = await readdir(dirname(path)).catch(() => []);
	return names
		.filter((name) => !name.startsWith(".") && matchesPattern(name, pattern))
		.sort()
		.map((name) => join(dirname(path), name));
}

/** `Keyword argument "quoted argument" # comment`, or `Keyword=argument`. */
function splitLine(line: string): string[] {
	const words: string[] = [];
	const keyword = /^\s*([^\s=#"]+)\s*=?\s*/.exec(line);
	if (keyword?.[1] === undefined) {
		return words;
	}
	words.push(keyword[1]);
	for (const [, quoted, plain] of line
		.slice(keyword[0].length)
		.matchAll(/"([^"]*)"|([^\s"#][^\s"]*)|#.*/g)) {
		const word = quoted ?? plain;
		if (word === undefined) {
			break;
		}
		words.push(word);
	}
	return words;
}
