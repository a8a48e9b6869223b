import { stat } from "node:fs/promises";
import { posix } from "node:path";
import type { Environment } from "../environment.js";
import { ConnectionError, UsageError } from "../errors.js";
import { parseTarget } from "./parse-target.js";
import type { ChosenTarget, Target } from "./target.js";

/**
 * Decides where to build: --on, then RBUILD_ON, then DOCKER_HOST, then the first local socket that
 * exists. An empty variable counts as not set, as it does for docker.
 * @throws UsageError for a target that makes no sense or needs what rbuild cannot do yet;
 * ConnectionError when nothing names a target and no local daemon is there.
 */
export async function chooseTarget(
	options: { readonly on?: string },
	environment: Environment,
): Promise<ChosenTarget> {
	const { variables } = environment;
	if (options.on !== undefined) {
		return named("--on", options.on, environment);
	}
	for (const name of ["RBUILD_ON", "DOCKER_HOST"]) {
		const value = variables[name];
		if (value) {
			return named(name, value, environment);
		}
	}
	if (variables.DOCKER_CONTEXT && variables.DOCKER_CONTEXT !== "default") {
		throw new UsageError(
			`DOCKER_CONTEXT names the docker context "${variables.DOCKER_CONTEXT}": docker contexts are not supported yet`,
			{ hint: "name the box with --on, as in: rbuild . --on user@host" },
		);
	}
	for (const socketPath of localSockets(environment)) {
		if (await isSocket(socketPath)) {
			return { target: { kind: "unix", socketPath }, chosenBy: "local socket" };
		}
	}
	throw new ConnectionError("socket-missing", "no target was named and no local daemon was found", {
		hint: "name the box with --on, as in: rbuild . --on user@host",
	});
}

function named(chosenBy: string, text: string, environment: Environment): ChosenTarget {
	const target = parseNamed(chosenBy, text);
	if (target.kind === "tcp" && environment.variables.DOCKER_TLS_VERIFY) {
		throw new UsageError("DOCKER_TLS_VERIFY is set: tcp:// with TLS is not supported yet", {
			hint: "reach the daemon over ssh: --on ssh://user@host",
		});
	}
	return { target, chosenBy };
}

function parseNamed(chosenBy: string, text: string): Target {
	try {
		return parseTarget(text);
	} catch (error) {
		if (error instanceof UsageError) {
			throw new UsageError(`${chosenBy}: ${error.message}`, { hint: error.hint, cause: error });
		}
		throw error;
	}
}

/** Docker's usual sockets before Podman's, the system's before the user's. */
function localSockets({ variables, homeDirectory }: Environment): string[] {
	const runtime = variables.XDG_RUNTIME_DIR;
	return [
		"/var/run/docker.sock",
		posix.join(homeDirectory, ".docker/run/docker.sock"),
		...(runtime ? [posix.join(runtime, "docker.sock")] : []),
		...(runtime ? [posix.join(runtime, "podman/podman.sock")] : []),
		"/run/podman/podman.sock",
	];
}

async function isSocket(path: string): Promise<boolean> {
	try {
		return (await stat(path)).isSocket();
	} catch {
		return false;
	}
}
