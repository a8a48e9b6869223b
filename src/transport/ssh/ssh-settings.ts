import { isAbsolute, join } from "node:path";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import type { Target } from "../../target/target.js";
import { type LoginSettings, loginSettings } from "./login-settings.js";
import { readSshConfig } from "./ssh-config-file.js";
import { querySshConfig } from "./ssh-config-query.js";

export type SshTarget = Extract<Target, { kind: "ssh" }>;

/**
 * ssh_config's keywords in lower case, each with its arguments as they were written. Those that may
 * come several times (IdentityFile) hold one entry a line.
 */
export type SshOptions = ReadonlyMap<string, readonly string[]>;

/** What ssh_config(5) says about one host, as far as rbuild acts on it. */
export interface SshSettings {
	/** The host as the user wrote it. */
	readonly alias: string;
	/** The ssh program's arguments to reach the same host by hand, for hints. */
	readonly sshArguments: string;
	readonly hostName: string;
	readonly port: number;
	readonly user: string;
	/** Absolute paths, in the order in which they are tried; they need not exist. */
	readonly identityFiles: readonly string[];
	/** Offer no agent key but those that identityFiles name. */
	readonly identitiesOnly: boolean;
	/** The agent's socket, or undefined where there is none or it must not be used. */
	readonly agentSocket: string | undefined;
	/** The first one is where a new host key is written to. */
	readonly userKnownHostsFiles: readonly string[];
	readonly globalKnownHostsFiles: readonly string[];
	/** Looked up in known_hosts in place of hostName and port. */
	readonly hostKeyAlias: string | undefined;
	readonly strictHostKeyChecking: "yes" | "ask" | "accept-new" | "no";
	/** Write new host names to known_hosts as a hash. */
	readonly hashKnownHosts: boolean;
	readonly connectTimeoutMs: number;
	/** Ask the user nothing. */
	readonly batchMode: boolean;
	/** Where programs run, and whom to ask. */
	readonly environment: Environment;
	readonly login: LoginSettings;
	/** What ssh2 cannot do of all this, for people; the ssh program can. */
	readonly needsSystemSsh?: string | undefined;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 15_000;
const DEFAULT_IDENTITY_FILES = ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"];
const DEFAULT_USER_KNOWN_HOSTS = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
const DEFAULT_GLOBAL_KNOWN_HOSTS = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
/** Where OpenSSH's agent listens on Windows. */
export const WINDOWS_AGENT = "\\\\.\\pipe\\openssh-ssh-agent";

/**
 * Asks the ssh program what its configuration means for this host, or reads the files where there is
 * no ssh program.
 * @throws UsageError for a configuration that cannot be read, or needs what rbuild cannot do yet.
 */
export async function sshSettings(
	target: SshTarget,
	environment: Environment,
	signal: AbortSignal,
): Promise<SshSettings> {
	const options =
		(await querySshConfig(target, environment, signal)) ??
		(await readSshConfig(target.host, environment));
	return interpretOptions(options, target, environment);
}

/** Applies defaults, ~, ${VARIABLE} and the %-tokens of ssh_config(5). */
export function interpretOptions(
	options: SshOptions,
	target: SshTarget,
	environment: Environment,
): SshSettings {
	const first = (keyword: string) => options.get(keyword)?.[0];
	refuseProxies(first, target.host);

	const hostTokens = { "%": "%", h: target.host, n: target.host };
	const hostName = replaceTokens(first("hostname") ?? target.host, hostTokens);
	const port = target.port ?? Number(first("port") ?? 22);
	const user = target.user ?? first("user") ?? environment.userName;
	const tokens = {
		"%": "%",
		d: environment.homeDirectory,
		h: hostName,
		n: target.host,
		p: String(port),
		r: user,
		u: environment.userName,
	};
	const path = (text: string) => expandPath(text, tokens, environment);
	const paths = (keyword: string, fallback: readonly string[]) =>
		(options.get(keyword) ?? fallback).filter((text) => text.toLowerCase() !== "none").map(path);

	return {
		alias: target.host,
		sshArguments: [
			...(environment.sshConfigFile === undefined ? [] : ["-F", environment.sshConfigFile]),
			...(target.port === undefined ? [] : ["-p", target.port]),
			target.user === undefined ? target.host : `${target.user}@${target.host}`,
		].join(" "),
		hostName,
		port,
		user,
		identityFiles: paths("identityfile", DEFAULT_IDENTITY_FILES),
		identitiesOnly: isYes(first("identitiesonly")),
		agentSocket: agentSocket(first("identityagent"), path, environment),
		userKnownHostsFiles: paths("userknownhostsfile", DEFAULT_USER_KNOWN_HOSTS),
		globalKnownHostsFiles: paths("globalknownhostsfile", DEFAULT_GLOBAL_KNOWN_HOSTS),
		hostKeyAlias: first("hostkeyalias"),
		strictHostKeyChecking: strictness(first("stricthostkeychecking")),
		hashKnownHosts: isYes(first("hashknownhosts")),
		connectTimeoutMs: connectTimeout(first("connecttimeout")),
		batchMode: isYes(first("batchmode")),
		environment,
		login: loginSettings(options, (keyword) => paths(keyword, [])),
	};
}

function refuseProxies(first: (keyword: string) => string | undefined, host: string): void {
	for (const [keyword, name] of [
		["proxyjump", "ProxyJump"],
		["proxycommand", "ProxyCommand"],
	] as const) {
		const value = first(keyword);
		if (value !== undefined && value.toLowerCase() !== "none") {
			throw new UsageError(`ssh config asks for ${name} to reach ${host}: not supported yet`, {
				hint: `forward a port yourself, as in: ssh -N -L 2222:localhost:22 ${host}, then --on user@localhost:2222`,
			});
		}
	}
}

function expandPath(
	text: string,
	tokens: Readonly<Record<string, string>>,
	{ homeDirectory, variables, workingDirectory }: Environment,
): string {
	const home = text.replace(/^~(?=[/\\]|$)/, () => homeDirectory);
	const plain = replaceTokens(
		home.replace(/\$\{(\w+)\}/g, (whole, name: string) => variables[name] ?? whole),
		tokens,
	);
	return isAbsolute(plain) ? plain : join(workingDirectory, plain);
}

function replaceTokens(text: string, tokens: Readonly<Record<string, string>>): string {
	return text.replace(/%(.)/g, (whole, letter: string) => tokens[letter] ?? whole);
}

function agentSocket(
	option: string | undefined,
	path: (text: string) => string,
	{ variables, platform }: Environment,
): string | undefined {
	if (option === undefined || option === "SSH_AUTH_SOCK") {
		return variables.SSH_AUTH_SOCK || (platform === "win32" ? WINDOWS_AGENT : undefined);
	}
	if (option.toLowerCase() === "none") {
		return undefined;
	}
	if (/^\$\w+$/.test(option)) {
		return variables[option.slice(1)] || undefined;
	}
	return option.startsWith("\\\\.\\pipe\\") ? option : path(option);
}

function strictness(option: string | undefined): SshSettings["strictHostKeyChecking"] {
	switch (option?.toLowerCase()) {
		case "yes":
		case "true":
			return "yes";
		case "no":
		case "off":
		case "false":
			return "no";
		case "accept-new":
			return "accept-new";
		default:
			return "ask";
	}
}

function isYes(option: string | undefined): boolean {
	return option?.toLowerCase() === "yes" || option?.toLowerCase() === "true";
}

function connectTimeout(option: string | undefined): number {
	const seconds = Number(option);
	return seconds > 0 ? seconds * 1000 : DEFAULT_CONNECT_TIMEOUT_MS;
}
