import { ConnectionError } from "../../../errors.js";
import { DEFAULT_SOCKET } from "../../../target/daemon-sockets.js";
import type { RemoteHost } from "../remote-host.js";
import type { RemoteFacts } from "./remote-facts.js";

export interface FailedRoutes {
	/** The socket that the user named. */
	readonly socketPath: string | undefined;
	readonly facts: RemoteFacts | undefined;
	/** What `docker system dial-stdio` wrote to stderr, and its exit code, where it was tried. */
	readonly dialStdio?: { readonly stderr: string; readonly code: number | null | undefined };
}

/** Why there is no stream to the daemon, told apart by what the box itself says. */
export function explainFailedRoutes(
	{ place, user }: Pick<RemoteHost, "place" | "user">,
	{ socketPath = DEFAULT_SOCKET, facts, dialStdio }: FailedRoutes,
): ConnectionError {
	const said = dialStdio?.stderr ? `: ${dialStdio.stderr}` : "";
	const error = (failure: ConnectionError["failure"], reason: string, hint: string) =>
		new ConnectionError(failure, `cannot reach the docker daemon on ${place}: ${reason}${said}`, {
			hint,
		});
	if (facts === undefined) {
		return error(
			dialStdio?.code === 127 ? "docker-not-installed" : "unreachable",
			`sshd does not forward to ${socketPath}, and user ${user} cannot run "docker system dial-stdio" there`,
			"allow one of the two for that user: AllowStreamLocalForwarding in sshd_config, or a shell",
		);
	}
	const hasClient = facts.docker !== undefined || facts.podman !== undefined;
	const usable = facts.sockets.find(({ state }) => state === "usable");
	if (usable !== undefined) {
		return hasClient
			? error(
					"refused",
					`nothing answers on ${usable.path}`,
					"is the daemon running there? Try: docker version",
				)
			: error(
					"docker-not-installed",
					`sshd does not forward to ${usable.path}, and there is no docker command for the other way`,
					"is the daemon running there, and does sshd_config say AllowStreamLocalForwarding no?",
				);
	}
	const denied = facts.sockets[0];
	if (denied !== undefined) {
		return error(
			"socket-permission",
			`user ${user} may not use ${denied.path}`,
			`run there, and log in again: sudo usermod -aG docker ${user}`,
		);
	}
	return hasClient
		? error(
				"socket-missing",
				`there is no socket at ${socketPath}`,
				"start the daemon there, or name its socket: --on ssh://user@host/path/to/docker.sock",
			)
		: error(
				"docker-not-installed",
				`docker is not installed there (no socket at ${socketPath}, no docker command)`,
				"install docker there, or name another socket: --on ssh://user@host/path/to/docker.sock",
			);
}

/** A word for a POSIX shell. */
export function quoted(text: string): string {
	return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What was printed last is what says why: at most 4 KiB, in one line. */
export function tailOf(stderr: string): string {
	return stderr
		.slice(-4096)
		.split(/\r?\n/)
		.map((line) => line.trim())
		.filter((line) => line !== "")
		.slice(-3)
		.join("; ");
}
