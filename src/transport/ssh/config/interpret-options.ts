import { posix, win32 } from "node:path";
import type { Environment } from "../../../environment.js";
import { formatTarget } from "../../../target/parse-target.js";
import { systemSshFolder } from "../../../target/ssh-config-include.js";
import {
	expandHome,
	proxyTokens,
	replaceTokens,
	replaceVariables,
	tokensOf,
} from "../../../target/ssh-config-tokens.js";
import { parseJumpHosts } from "./jump-host.js";
import { loginSettings } from "./login-settings.js";
import { chooseAlgorithms } from "./ssh-algorithms.js";
import {
	addressFamily,
	agentSocket,
	connectTimeout,
	isNone,
	isYes,
	keepAlive,
	strictness,
} from "./ssh-option-values.js";
import type { SshOptions, SshSettings, SshTarget } from "./ssh-settings.js";

/** In the order of OpenSSH 9. */
const DEFAULT_IDENTITY_FILES = ["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk"].map(
	(type) => `~/.ssh/id_${type}`,
);
const DEFAULT_USER_KNOWN_HOSTS = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
const DEFAULT_GLOBAL_KNOWN_HOSTS = ["ssh_known_hosts", "ssh_known_hosts2"];

/** Applies defaults, ~, ${VARIABLE} and the %-tokens that `ssh -G` leaves. A jump host is not looked up. */
export function interpretOptions(
	options: SshOptions,
	target: SshTarget,
	environment: Environment,
): SshSettings {
	const first = (keyword: string) => options.get(keyword)?.[0];
	const hostName = first("hostname") ?? target.host;
	const port = target.port ?? Number(first("port") ?? 22);
	const user = target.user ?? first("user") ?? environment.userName;
	const hostKeyAlias = first("hostkeyalias");
	const jumpHost = parseJumpHosts(first("proxyjump") ?? "")?.at(-1)?.host ?? "";
	const tokens = tokensOf(
		{ alias: target.host, hostName, port, user, hostKeyAlias, jumpHost },
		environment,
	);
	const { isAbsolute, join } = environment.platform === "win32" ? win32 : posix;
	const path = (text: string) => {
		const whole = readablePath(expandHome(text, environment), environment);
		return isAbsolute(whole) ? whole : join(environment.workingDirectory, whole);
	};
	const paths = (keyword: string, fallback: readonly string[]) =>
		(options.get(keyword) ?? fallback).filter((text) => !isNone(text)).map(path);
	const command = first("proxycommand");
	const algorithms = chooseAlgorithms(options);
	const globalKnownHosts = DEFAULT_GLOBAL_KNOWN_HOSTS.map((name) =>
		join(systemSshFolder(environment), name),
	);
	const { sshConfigFile } = environment;
	const { socketPath: _, ...server } = target;

	return {
		alias: target.host,
		sshArguments: [
			...(sshConfigFile === undefined ? [] : ["-F", sshConfigFile]),
			...(target.port === undefined ? [] : ["-p", target.port]),
			target.user === undefined ? target.host : `${target.user}@${target.host}`,
		].join(" "),
		trustArguments: [
			formatTarget(server),
			...(sshConfigFile === undefined ? [] : ["--ssh-config", sshConfigFile]),
		].join(" "),
		hostName,
		port,
		user,
		addressFamily: addressFamily(first("addressfamily")),
		bindAddress: first("bindaddress"),
		proxy:
			command === undefined || isNone(command)
				? undefined
				: { kind: "command", command: replaceTokens(command, proxyTokens(tokens)) },
		algorithms,
		onlySsh: algorithms.missing ?? onlySsh(first),
		identityFiles: (options.get("identityfile") ?? DEFAULT_IDENTITY_FILES)
			.filter((text) => !isNone(text))
			.map((text) => path(replaceVariables(text, tokens, environment.variables))),
		identitiesOnly: isYes(first("identitiesonly")),
		agentSocket: agentSocket(first("identityagent"), path, environment),
		batchMode: isYes(first("batchmode")),
		userKnownHostsFiles: paths("userknownhostsfile", DEFAULT_USER_KNOWN_HOSTS),
		globalKnownHostsFiles: paths("globalknownhostsfile", globalKnownHosts),
		hostKeyAlias,
		strictHostKeyChecking: strictness(first("stricthostkeychecking")),
		hashKnownHosts: isYes(first("hashknownhosts")),
		connectTimeoutMs: connectTimeout(first("connecttimeout")),
		keepAlive: keepAlive(first("serveraliveinterval"), first("serveralivecountmax")),
		environment,
		login: loginSettings(options, (keyword) => paths(keyword, [])),
	};
}

/** On Windows, each of the ssh programs that there are writes some paths as nobody else reads them. */
function readablePath(path: string, environment: Environment): string {
	if (environment.platform !== "win32") return path;
	// Node would take it for a file of that name.
	if (/^(?:\\\\\.\\)?nul$/i.test(path)) return "/dev/null";
	const systemFolder = systemSshFolder(environment);
	return (
		path
			// The placeholder of the one that comes with Windows.
			.replace(/^__PROGRAMDATA__/, () => win32.dirname(systemFolder))
			// The one that comes with git has an /etc in git's own folder, and drives as folders.
			.replace(/^\/etc\/ssh(?=\/)/, () => systemFolder)
			.replace(/^\/(?:cygdrive\/)?([a-z])(?=\/)/i, "$1:")
	);
}

const ONLY_SSH: Readonly<Record<string, string>> = {
	bindinterface: "BindInterface",
	knownhostscommand: "KnownHostsCommand",
	proxyusefdpass: "ProxyUseFdpass",
	revokedhostkeys: "RevokedHostKeys",
};

/** To go on without them would reach nobody, or trust a key that the user does not. */
function onlySsh(first: (keyword: string) => string | undefined): string | undefined {
	for (const [keyword, name] of Object.entries(ONLY_SSH)) {
		const value = first(keyword);
		if (value !== undefined && value !== "no" && !isNone(value)) return name;
	}
	return undefined;
}
