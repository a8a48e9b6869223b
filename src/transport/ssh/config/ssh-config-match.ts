import { spawn } from "node:child_process";
import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import type { Environment } from "../../../environment.js";
import { replaceTokens, type Tokens } from "../../../target/ssh-config-tokens.js";
import { matchesAny, matchesHost } from "./host-pattern.js";

const EXEC_TIMEOUT_MS = 10_000;

/** What is known of the connection when a Match line is read. */
interface MatchSubject {
	/** As the user wrote it. */
	readonly alias: string;
	/** What the lines so far make of it. */
	readonly hostName: string;
	readonly user: string;
	readonly tag: string;
	/** The second reading of the files, which `Match final` asks for. */
	readonly isFinal: boolean;
	readonly tokens: () => Tokens;
	readonly environment: Environment;
	readonly signal: AbortSignal;
}

interface Matched {
	readonly matches: boolean;
	/** Whether the line asks for a second reading. */
	readonly wantsFinal: boolean;
}

/**
 * Judges the criteria of a Match line (match_cfg_line in OpenSSH's readconf.c).
 * @returns a text where the line is wrong
 */
export async function matchLine(
	args: readonly string[],
	subject: MatchSubject,
): Promise<Matched | string> {
	if (args.length === 0) return "Match needs a condition";
	let matches = true;
	let wantsFinal = false;
	const rest = [...args];
	for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
		const negated = word.startsWith("!");
		const [, name = "", inline] = /^!?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
		const criterion = name.toLowerCase();
		if (criterion === "all") {
			if (rest.length > 0 || args.length > 2 || (args.length === 2 && !isFinal(args[0] ?? ""))) {
				return '"all" cannot be combined with other Match conditions';
			}
			return { matches: matches && !negated, wantsFinal };
		}
		if (isFinal(criterion)) {
			wantsFinal ||= criterion === "final" && !negated;
			matches &&= subject.isFinal !== negated;
			continue;
		}
		const judge = CRITERIA[criterion];
		if (judge === undefined) return `unknown Match condition "${name}"`;
		const argument = inline ?? rest.shift();
		if (argument === undefined || (argument === "" && !MAY_BE_EMPTY.has(criterion))) {
			return `Match ${name} needs an argument`;
		}
		// What runs a command is only asked when everything before it fits.
		if (matches) matches = (await judge(argument, subject)) !== negated;
	}
	return { matches, wantsFinal };
}

function isFinal(criterion: string): boolean {
	return /^!?(final|canonical)$/i.test(criterion);
}

const MAY_BE_EMPTY: ReadonlySet<string> = new Set(["tagged", "command"]);

type Criterion = (argument: string, subject: MatchSubject) => boolean | Promise<boolean>;

const CRITERIA: Readonly<Record<string, Criterion>> = {
	host: (argument, { hostName }) => matchesHost(hostName, argument.split(",")),
	originalhost: (argument, { alias }) => matchesHost(alias, argument.split(",")),
	user: (argument, { user }) => matchesAny(user, argument.split(",")),
	localuser: (argument, { environment }) => matchesAny(environment.userName, argument.split(",")),
	tagged: (argument, { tag }) =>
		tag === "" ? argument === "" : matchesAny(tag, argument.split(",")),
	// rbuild runs no command of its own, and is no version of OpenSSH.
	command: (argument) => argument === "",
	sessiontype: (argument) => matchesAny("shell", argument.split(",")),
	version: () => false,
	localnetwork: (argument) => isLocalNetwork(argument.split(",")),
	exec: (argument, subject) => succeeds(argument, subject),
};

/** Whether an address of this machine is in one of the networks, such as "192.168.0.0/16". */
function isLocalNetwork(networks: readonly string[]): boolean {
	const list = new BlockList();
	for (const network of networks) {
		const [address = "", bits] = network.split("/");
		const family = isIPv6(address) ? "ipv6" : "ipv4";
		try {
			list.addSubnet(address, Number(bits ?? (family === "ipv6" ? 128 : 32)), family);
		} catch {
			// Another network may be meant well.
		}
	}
	return Object.values(networkInterfaces())
		.flatMap((addresses) => addresses ?? [])
		.some(({ address, family }) => list.check(address, family === "IPv6" ? "ipv6" : "ipv4"));
}

/** Runs a command with the user's shell, as OpenSSH does. */
function succeeds(command: string, subject: MatchSubject): Promise<boolean> {
	const { environment, signal } = subject;
	const { variables, workingDirectory, platform } = environment;
	const line = replaceTokens(command, subject.tokens());
	return new Promise((resolve) => {
		const child = spawn(line, {
			shell: platform === "win32" ? true : variables.SHELL || "/bin/sh",
			cwd: workingDirectory,
			env: { ...variables },
			stdio: "ignore",
			signal,
			timeout: EXEC_TIMEOUT_MS,
			windowsHide: true,
		});
		child.once("error", () => resolve(false));
		child.once("exit", (code) => resolve(code === 0));
	});
}
