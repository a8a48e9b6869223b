import { open } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Environment } from "../../../environment.js";
import { UsageError } from "../../../errors.js";
import {
	includedFiles,
	MAX_INCLUDE_DEPTH,
	systemSshConfig,
} from "../../../target/ssh-config-include.js";
import { splitConfigLine } from "../../../target/ssh-config-line.js";
import {
	expandHome,
	replaceTokens,
	replaceVariables,
	type Tokens,
	tokensOf,
} from "../../../target/ssh-config-tokens.js";
import { connectInterrupted } from "../../connect-socket.js";
import { matchesPattern } from "./host-pattern.js";
import { parseJumpHosts } from "./jump-host.js";
import { currentName, readArguments } from "./ssh-config-keywords.js";
import { matchLine } from "./ssh-config-match.js";
import type { SshOptions, SshTarget } from "./ssh-settings.js";

/**
 * Reads ssh_config as OpenSSH 9 does, for machines without an ssh program.
 * @returns what `ssh -G` would print of what was set: no defaults.
 * @throws UsageError with file and line; InterruptedError
 */
export async function readSshConfig(
	target: SshTarget,
	environment: Environment,
	signal: AbortSignal,
): Promise<SshOptions> {
	const reader = new ConfigReader(target, environment, signal);
	await reader.readAll();
	if (reader.wantsFinal) await reader.readAgain();
	return reader.result();
}

interface Place {
	/** Whose file it is, which decides where its relative includes are. */
	readonly isUsers: boolean;
	/** Nobody else may write to it. */
	readonly isGuarded: boolean;
	readonly depth: number;
	/** Included where nothing applies: it is only checked. */
	readonly neverMatches: boolean;
}

class ConfigReader {
	wantsFinal = false;
	readonly #options = new Map<string, readonly string[]>();
	readonly #target: SshTarget;
	readonly #environment: Environment;
	readonly #signal: AbortSignal;
	/** What Host patterns are compared with. */
	#host: string;
	#isFinal = false;

	constructor(target: SshTarget, environment: Environment, signal: AbortSignal) {
		this.#target = target;
		this.#host = target.host;
		this.#environment = environment;
		this.#signal = signal;
		// What the command line says comes first, and `Match user` looks at it.
		if (target.user !== undefined) this.#options.set("user", [target.user]);
		if (target.port !== undefined) this.#options.set("port", [String(target.port)]);
	}

	async readAll(): Promise<void> {
		const { sshConfigFile, homeDirectory } = this.#environment;
		const place = { isUsers: true, isGuarded: false, depth: 0, neverMatches: false };
		if (sshConfigFile === undefined) {
			await this.#read(join(homeDirectory, ".ssh", "config"), { ...place, isGuarded: true });
			await this.#read(systemSshConfig(this.#environment), { ...place, isUsers: false });
		} else if (sshConfigFile.toLowerCase() !== "none") {
			if (!(await this.#read(sshConfigFile, place))) {
				throw new UsageError(`cannot read the ssh config file ${sshConfigFile}`);
			}
		}
	}

	/** `Match final`: with the name that the first reading has found. */
	async readAgain(): Promise<void> {
		this.#host = lowerName(this.#hostName());
		this.#options.set("hostname", [this.#host]);
		this.#isFinal = true;
		await this.readAll();
	}

	result(): SshOptions {
		const options = new Map(this.#options);
		const { variables } = this.#environment;
		options.set("hostname", [lowerName(this.#hostName())]);
		const alias = options.get("hostkeyalias");
		if (alias !== undefined) options.set("hostkeyalias", [alias.join("").toLowerCase()]);
		const tokens = { ...this.#tokens(), h: lowerName(this.#hostName()) };
		for (const keyword of ["userknownhostsfile", "identityagent"]) {
			const expanded = options
				.get(keyword)
				?.map((path) => replaceVariables(expandHome(path, this.#environment), tokens, variables));
			if (expanded !== undefined) options.set(keyword, expanded);
		}
		return options;
	}

	/** @returns false when the file cannot be read, which matters only for one named explicitly. */
	async #read(path: string, place: Place): Promise<boolean> {
		if (this.#signal.aborted) throw connectInterrupted(this.#target.host);
		if (place.depth > MAX_INCLUDE_DEPTH) {
			throw new UsageError(`${path}: ssh config files include each other in a loop`);
		}
		const text = await this.#textOf(path, place);
		if (text === undefined) return false;
		let applies = !place.neverMatches;
		for (const [index, line] of text.split("\n").entries()) {
			const where = `${path}:${index + 1}`;
			const parts = splitConfigLine(line);
			if (typeof parts === "string") throw malformed(where, parts);
			if (parts === undefined) continue;
			const { keyword, args, rest } = parts;
			if (keyword === "host") {
				applies = !place.neverMatches && this.#matchesHost(args);
			} else if (keyword === "match") {
				applies = (await this.#matches(args, where)) && !place.neverMatches;
			} else if (keyword === "include") {
				await this.#include(args, { ...place, neverMatches: !applies }, where);
			} else {
				const name = currentName(keyword);
				const values = readArguments(name, args, rest);
				if (typeof values === "string") throw malformed(where, values);
				this.#set(name, values, applies, where);
			}
		}
		return true;
	}

	async #textOf(path: string, { isGuarded }: Place): Promise<string | undefined> {
		const file = await open(path).catch(() => undefined);
		if (file === undefined) return undefined;
		try {
			const { platform, userId } = this.#environment;
			const { uid, mode } = await file.stat();
			const foreign = uid !== 0 && uid !== userId;
			if (isGuarded && platform !== "win32" && (foreign || (mode & 0o022) !== 0)) {
				throw new UsageError(`bad owner or permissions on ${path}: others may write to it`, {
					hint: `run: chmod go-w ${path}`,
				});
			}
			return await file.readFile("utf8").catch(() => undefined);
		} finally {
			await file.close();
		}
	}

	/** Case counts here (match_pattern), unlike in `Match host`. */
	#matchesHost(patterns: readonly string[]): boolean {
		const fits = (pattern: string) => matchesPattern(this.#host, pattern);
		return (
			patterns.some((pattern) => !pattern.startsWith("!") && fits(pattern)) &&
			!patterns.some((pattern) => pattern.startsWith("!") && fits(pattern.slice(1)))
		);
	}

	async #matches(args: readonly string[], where: string): Promise<boolean> {
		const result = await matchLine(args, {
			alias: this.#target.host,
			hostName: this.#hostName(),
			user: this.#user,
			tag: this.#first("tag") ?? "",
			isFinal: this.#isFinal,
			tokens: () => this.#tokens(),
			environment: this.#environment,
			signal: this.#signal,
		});
		if (typeof result === "string") throw malformed(where, result);
		if (!this.#isFinal) this.wantsFinal ||= result.wantsFinal;
		return result.matches;
	}

	#set(keyword: string, values: readonly string[], applies: boolean, where: string): void {
		if (keyword === "proxyjump") {
			const [jump = ""] = values.map((value) => value.replace(/\s*#.*/, ""));
			if (parseJumpHosts(jump) === undefined) throw malformed(where, `bad ProxyJump "${jump}"`);
			// Of a jump host and a command, the first one counts, too.
			if (applies && !this.#options.has("proxycommand")) this.#setFirst(keyword, [jump]);
		} else if (keyword === "proxycommand") {
			const jump = this.#first("proxyjump")?.toLowerCase() ?? "none";
			if (applies && jump === "none") this.#setFirst(keyword, values);
		} else if (keyword === "identityfile" || keyword === "certificatefile") {
			const before = this.#options.get(keyword) ?? [];
			if (applies) this.#options.set(keyword, [...new Set([...before, ...values])]);
		} else if (applies) {
			this.#setFirst(keyword, values);
		}
	}

	#setFirst(keyword: string, values: readonly string[]): void {
		if (!this.#options.has(keyword)) this.#options.set(keyword, values);
	}

	async #include(patterns: readonly string[], place: Place, where: string): Promise<void> {
		for (const pattern of patterns) {
			if (pattern === "") throw malformed(where, "keyword include empty argument");
			const named = replaceVariables(pattern, this.#tokens(), this.#environment.variables);
			for (const file of await includedFiles(named, place.isUsers, this.#environment)) {
				await this.#read(file, { ...place, isGuarded: true, depth: place.depth + 1 });
			}
		}
	}

	get #user(): string {
		return this.#first("user") ?? this.#environment.userName;
	}

	#first(keyword: string): string | undefined {
		return this.#options.get(keyword)?.[0];
	}

	#hostName(): string {
		const named = this.#first("hostname");
		const { host } = this.#target;
		if (named === undefined) return host;
		return this.#isFinal ? named : replaceTokens(named, { h: host });
	}

	#tokens(): Tokens {
		const jump = this.#first("proxyjump") ?? "";
		return tokensOf(
			{
				alias: this.#target.host,
				hostName: this.#hostName(),
				port: Number(this.#first("port") ?? 22),
				user: this.#user,
				hostKeyAlias: this.#first("hostkeyalias")?.toLowerCase(),
				jumpHost: parseJumpHosts(jump)?.at(-1)?.host ?? "",
			},
			this.#environment,
		);
	}
}

function lowerName(name: string): string {
	return isIP(name) === 0 ? name.toLowerCase() : name;
}

function malformed(where: string, reason: string): UsageError {
	return new UsageError(`${where}: ${reason}`, { hint: "see ssh_config(5)" });
}
