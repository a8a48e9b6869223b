import type { ClientChannel } from "ssh2";
import { ConnectionError } from "../../errors.js";
import type { SshConnection } from "./ssh-connection.js";

/** Where docker's daemon listens unless it was told otherwise. */
export const DEFAULT_SOCKET = "/var/run/docker.sock";

/** What the box says when no stream to its daemon could be opened. */
export interface RemoteFacts {
	/** The user may use the socket, may not, or there is none. */
	readonly socket: "usable" | "denied" | "missing";
	/** There is a docker client on the PATH of a non-interactive shell. */
	readonly hasDocker: boolean;
}

const OUTPUT_LIMIT = 64 * 1024;
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Asks the box about its daemon's socket, in one command. The answer stands in lines of its own, so that
 * what the user's shell prints at its start does not matter.
 * @returns undefined where the box runs no such command.
 */
export async function askRemoteFacts(
	connection: SshConnection,
	socketPath: string,
	signal: AbortSignal,
): Promise<RemoteFacts | undefined> {
	const script = [
		`s=${quoted(socketPath)}`,
		'if [ ! -S "$s" ]; then f=missing; elif [ -r "$s" ] && [ -w "$s" ]; then f=usable; else f=denied; fi',
		"if command -v docker >/dev/null 2>&1; then d=yes; else d=no; fi",
		'printf "\\nrbuild-facts %s %s\\n" "$f" "$d"',
	].join("; ");
	const channel = await connection.exec(`sh -c ${quoted(script)}`, signal);
	const output = await readAll(channel);
	const facts = /^rbuild-facts (usable|denied|missing) (yes|no)$/m.exec(output);
	return facts === null
		? undefined
		: { socket: facts[1] as RemoteFacts["socket"], hasDocker: facts[2] === "yes" };
}

export interface FailedRoutes {
	readonly socketPath: string;
	readonly facts: RemoteFacts | undefined;
	/** What `docker system dial-stdio` wrote to stderr, and its exit code, where it was tried. */
	readonly dialStdio?: { readonly stderr: string; readonly code: number | null | undefined };
}

/** Why there is no stream to the daemon, told apart by what the box itself says. */
export function explainFailure(
	{ place, user }: Pick<SshConnection, "place" | "user">,
	{ socketPath, facts, dialStdio }: FailedRoutes,
): ConnectionError {
	const said = dialStdio?.stderr ? `: ${dialStdio.stderr}` : "";
	const error = (failure: ConnectionError["failure"], reason: string, hint: string) =>
		new ConnectionError(failure, `cannot reach the docker daemon on ${place}: ${reason}${said}`, {
			hint,
		});
	if (facts === undefined) {
		return error(
			dialStdio?.code === 127 ? "docker-not-installed" : "unreachable",
			`sshd opens no stream to ${socketPath}, and user ${user} cannot run "docker system dial-stdio" there`,
			"allow one of the two for that user: AllowStreamLocalForwarding in sshd_config, or a shell",
		);
	}
	switch (facts.socket) {
		case "denied":
			return error(
				"socket-permission",
				`user ${user} may not use ${socketPath}`,
				`run there, and log in again: sudo usermod -aG docker ${user}`,
			);
		case "missing":
			return facts.hasDocker
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
		case "usable":
			return facts.hasDocker
				? error(
						"refused",
						`nothing answers on ${socketPath}`,
						"is the daemon running there? Try: docker version",
					)
				: error(
						"docker-not-installed",
						`sshd opens no stream to ${socketPath}, and there is no docker command for the other way`,
						"is the daemon running there, and does sshd_config say AllowStreamLocalForwarding no?",
					);
	}
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

/** Until the command ends, or is taking so long that its answer does not matter any more. */
function readAll(channel: ClientChannel): Promise<string> {
	return new Promise((resolve) => {
		let output = "";
		const timer = setTimeout(() => {
			channel.close();
			resolve(output);
		}, ANSWER_TIMEOUT_MS);
		channel.on("data", (chunk: Buffer) => {
			output = (output + chunk.toString("utf8")).slice(-OUTPUT_LIMIT);
		});
		channel.on("close", () => {
			clearTimeout(timer);
			resolve(output);
		});
		channel.stderr.resume();
		channel.end();
	});
}
