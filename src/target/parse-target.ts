import { isIPv6 } from "node:net";
import { UsageError } from "../errors.js";
import type { Target } from "./target.js";

const HINT =
	"write an ssh alias, user@host[:port], ssh://user@host:port[/path/to/docker.sock], unix:///path or tcp://host:port";

/** docker's ports for a daemon, assumed where tcp:// names none. */
export const DOCKER_PORTS = { tcp: 2375, tls: 2376 } as const;

/**
 * Reads what the user wrote after --on, or in RBUILD_ON or DOCKER_HOST. Whether tcp:// is with TLS is not
 * said there.
 *
 * @param tcpPort that of tcp:// without one
 * @throws UsageError that quotes the text, except where it may hold a password.
 */
export function parseTarget(
	text: string,
	tcpPort: number = DOCKER_PORTS.tcp,
): Exclude<Target, { kind: "tls" }> {
	const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
	switch (scheme) {
		case undefined:
			return parseSsh(text, text, { isUrl: false });
		case "ssh":
			return parseSsh(text, text.slice("ssh://".length), { isUrl: true });
		case "unix":
			return parseUnix(text);
		case "tcp":
			return parseTcp(text, tcpPort);
		case "npipe":
			return parsePipe(text);
		default:
			throw new UsageError(`target "${withoutUser(text)}": "${scheme}://" is not supported`, {
				hint: HINT,
			});
	}
}

/** The shortest text that parseTarget reads back as the same target, TLS apart. */
export function formatTarget(target: Target): string {
	switch (target.kind) {
		case "unix":
			return target.socketPath.startsWith("\\\\")
				? `npipe://${target.socketPath.replaceAll("\\", "/")}`
				: `unix://${target.socketPath}`;
		case "tcp":
		case "tls":
			return `tcp://${bracketed(target.host)}:${target.port}`;
		case "ssh": {
			const host = bracketed(target.host);
			const port = target.port === undefined ? "" : `:${target.port}`;
			if (target.socketPath !== undefined) {
				const user = target.user === undefined ? "" : `${encodeURIComponent(target.user)}@`;
				return `ssh://${user}${host}${port}${encodedPath(target.socketPath)}`;
			}
			return `${target.user === undefined ? "" : `${target.user}@`}${host}${port}`;
		}
	}
}

function parseSsh(text: string, rest: string, { isUrl }: { readonly isUrl: boolean }) {
	const at = rest.lastIndexOf("@", isUrl ? endOfAuthority(rest) : undefined);
	const rawUser = at < 0 ? undefined : rest.slice(0, at);
	if (rawUser?.includes(":")) {
		throw new UsageError("a target must not hold a password", {
			hint: "use an ssh key or the ssh agent, and write only user@host",
		});
	}
	const user = rawUser === undefined ? undefined : isUrl ? decoded(text, rawUser) : rawUser;
	if (user !== undefined && !isSafeName(user)) {
		throw nonsense(text, user === "" ? "the user is empty" : "the user name is not valid");
	}
	const afterUser = rest.slice(at + 1);
	const slash = afterUser.indexOf("/");
	if (slash >= 0 && !isUrl) {
		throw nonsense(text, "that looks like a path");
	}
	if (rest.includes(",") && !isUrl) {
		throw new UsageError(`target "${withoutUser(text)}": a box has no comma in its name`, {
			hint: "of several boxes, name each: --on ONE --on OTHER; commas are for RBUILD_ON",
		});
	}
	const path = slash < 0 ? "" : decoded(text, afterUser.slice(slash));
	if (/[?#]/.test(afterUser)) {
		throw nonsense(text, "a query or fragment has no meaning here");
	}
	const { host, port } = parseHostPort(text, slash < 0 ? afterUser : afterUser.slice(0, slash));
	return {
		kind: "ssh" as const,
		host,
		...(user !== undefined && { user }),
		...(port !== undefined && { port }),
		...(path.length > 1 && { socketPath: path }),
	};
}

function parseUnix(text: string) {
	const socketPath = text.slice("unix://".length);
	if (!socketPath.startsWith("/")) {
		throw nonsense(text, "the socket's path must be absolute, such as unix:///var/run/docker.sock");
	}
	if (socketPath.includes("\0")) {
		throw nonsense(text, "the socket's path holds a NUL");
	}
	return { kind: "unix" as const, socketPath };
}

/** Windows' named pipes, which node opens as it opens sockets: npipe:////./pipe/docker_engine */
function parsePipe(text: string) {
	const path = text.slice("npipe://".length).replaceAll("/", "\\");
	if (!/^\\\\\.\\pipe\\.+$/.test(path) || path.includes("\0")) {
		throw nonsense(text, "a named pipe is written npipe:////./pipe/docker_engine");
	}
	return { kind: "unix" as const, socketPath: path };
}

function parseTcp(text: string, tcpPort: number) {
	const rest = text.slice("tcp://".length).replace(/\/$/, "");
	if (rest.includes("@")) {
		throw new UsageError("a tcp:// target must not hold a user or a password", { hint: HINT });
	}
	if (/[/?#]/.test(rest)) {
		throw nonsense(text, "a path has no meaning after tcp://host:port");
	}
	const { host, port } = parseHostPort(text, rest);
	return { kind: "tcp" as const, host, port: port ?? tcpPort };
}

function parseHostPort(text: string, hostPort: string): { host: string; port?: number } {
	// Without the colon first: node takes 3 ms to get ready for its first address.
	if (hostPort.includes(":") && isIPv6(hostPort)) {
		return { host: hostPort };
	}
	const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?$/.exec(hostPort);
	if (parts === null) {
		throw nonsense(text, "an IPv6 address with a port is written [address]:port");
	}
	const [, address, name, portText] = parts;
	if (address !== undefined && !isIPv6(address)) {
		throw nonsense(text, "only an IPv6 address is written in brackets");
	}
	const host = address ?? name ?? "";
	if (address === undefined && !isSafeName(host)) {
		throw nonsense(text, host === "" ? "the host is missing" : "the host name is not valid");
	}
	if (portText === undefined) {
		return { host };
	}
	const port = Number(portText);
	if (!/^\d{1,5}$/.test(portText) || port < 1 || port > 65535) {
		throw nonsense(text, "the port must be a number from 1 to 65535");
	}
	return { host, port };
}

/**
 * OpenSSH's own rule for names that come from elsewhere: they end up in command lines and in
 * ssh_config's %-tokens, so neither an option nor a shell's special character may be among them.
 */
function isSafeName(name: string): boolean {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
	return name !== "" && !name.startsWith("-") && !/[\s\x00-\x1f\x7f'"`$\\;&<>|(){}]/.test(name);
}

function endOfAuthority(rest: string): number {
	const slash = rest.indexOf("/");
	return slash < 0 ? rest.length : slash;
}

function decoded(text: string, part: string): string {
	try {
		const plain = decodeURIComponent(part);
		if (!plain.includes("\0")) {
			return plain;
		}
	} catch {
		// Told below, together with a NUL.
	}
	throw nonsense(text, "a %-escape in it is not valid");
}

function encodedPath(path: string): string {
	return path.split("/").map(encodeURIComponent).join("/");
}

function bracketed(host: string): string {
	return host.includes(":") ? `[${host}]` : host;
}

/** Whatever stands before an @ may be a password that was put in the wrong place. */
function withoutUser(text: string): string {
	return text.replace(/\/\/.*@/, "//…@");
}

function nonsense(text: string, reason: string): UsageError {
	return new UsageError(`target ${JSON.stringify(withoutUser(text))}: ${reason}`, { hint: HINT });
}
