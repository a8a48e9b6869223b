import { isPort } from "./ssh-config-keywords.js";

/** One hop of ProxyJump. */
export interface JumpHost {
	readonly host: string;
	readonly user: string | undefined;
	readonly port: number | undefined;
}

/**
 * ProxyJump's `[user@]host[:port]` or `ssh://…` (ssh_config(5)), separated by commas, the nearest first.
 * @returns undefined where one is malformed; an empty list for "none"
 */
export function parseJumpHosts(text: string): JumpHost[] | undefined {
	if (text.toLowerCase() === "none" || text === "") return [];
	const hops = text.split(",").map(parseJumpHost);
	return hops.some((hop) => hop === undefined) ? undefined : (hops as JumpHost[]);
}

function parseJumpHost(text: string): JumpHost | undefined {
	const [, user, bracketed, plain, port] =
		/^(?:ssh:\/\/)?(?:(.+)@)?(?:\[([^\]]+)\]|([^:/@[\]]+))(?::([^:]*))?\/?$/s.exec(text.trim()) ??
		[];
	const host = bracketed ?? plain;
	// It becomes an argument of ssh where that is asked what it means.
	if (host === undefined || host.startsWith("-") || /[\s'"`$\\;&<>|(){}]/.test(host)) {
		return undefined;
	}
	if (port !== undefined && port !== "" && !isPort(port)) return undefined;
	return { host, user, port: port ? Number(port) : undefined };
}
