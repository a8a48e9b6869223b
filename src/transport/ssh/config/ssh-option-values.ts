import type { Environment } from "../../../environment.js";
import type { SshSettings } from "./ssh-settings.js";

const DEFAULT_CONNECT_TIMEOUT_MS = 15_000;
/** Where OpenSSH's agent listens on Windows. */
export const WINDOWS_AGENT = "\\\\.\\pipe\\openssh-ssh-agent";

export function isNone(text: string): boolean {
	return text.toLowerCase() === "none";
}

export function addressFamily(option: string | undefined): 4 | 6 | undefined {
	if (option === "inet") return 4;
	return option === "inet6" ? 6 : undefined;
}

/** Where the user's own agent listens, if there is one. */
export function userAgent({ variables, platform }: Environment): string | undefined {
	return variables.SSH_AUTH_SOCK || (platform === "win32" ? WINDOWS_AGENT : undefined);
}

export function agentSocket(
	option: string | undefined,
	path: (text: string) => string,
	environment: Environment,
): string | undefined {
	if (option === undefined || option === "SSH_AUTH_SOCK") return userAgent(environment);
	if (isNone(option)) {
		return undefined;
	}
	if (/^\$\w+$/.test(option)) {
		return environment.variables[option.slice(1)] || undefined;
	}
	return option.startsWith("\\\\.\\pipe\\") ? option : path(option);
}

export function strictness(option: string | undefined): SshSettings["strictHostKeyChecking"] {
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

export function isYes(option: string | undefined): boolean {
	return option?.toLowerCase() === "yes" || option?.toLowerCase() === "true";
}

export function connectTimeout(option: string | undefined): number {
	const seconds = Number(option);
	return seconds > 0 ? seconds * 1000 : DEFAULT_CONNECT_TIMEOUT_MS;
}

/**
 * An interval of 0, OpenSSH's default, is no wish of the user's. A count of 0 ends the link, as one of 1 does,
 * when nothing has come for an interval (server_alive_check in clientloop.c).
 */
export function keepAlive(interval: string | undefined, countMax = "3"): SshSettings["keepAlive"] {
	const seconds = Number(interval);
	return seconds > 0
		? { intervalMs: seconds * 1000, countMax: Math.max(1, Number(countMax)) }
		: undefined;
}
