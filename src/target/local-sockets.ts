import { stat } from "node:fs/promises";
import { posix } from "node:path";
import type { Environment } from "../environment.js";

/** Docker's default on Windows (moby, client/client_windows.go), which cannot be looked at without opening it. */
const WINDOWS_PIPE = "\\\\.\\pipe\\docker_engine";

/** Where a daemon of this machine listens; undefined where there is none. */
export async function localSocket(environment: Environment): Promise<string | undefined> {
	if (environment.platform === "win32") return WINDOWS_PIPE;
	for (const path of usualSockets(environment)) {
		if (await isSocket(path)) return path;
	}
	return undefined;
}

/** Docker's sockets before Podman's, the system's before the user's. */
function usualSockets({ variables, homeDirectory }: Environment): readonly string[] {
	const home = (path: string) => posix.join(homeDirectory, path);
	const runtime = variables.XDG_RUNTIME_DIR;
	const running = (path: string) => (runtime ? [posix.join(runtime, path)] : []);
	return [
		"/var/run/docker.sock",
		// Docker Desktop on macOS and on Linux, OrbStack, colima, Rancher Desktop.
		home(".docker/run/docker.sock"),
		home(".docker/desktop/docker.sock"),
		home(".orbstack/run/docker.sock"),
		home(".colima/default/docker.sock"),
		posix.join(variables.XDG_CONFIG_HOME || home(".config"), "colima/default/docker.sock"),
		home(".rd/docker.sock"),
		...running("docker.sock"),
		...running("podman/podman.sock"),
		"/run/podman/podman.sock",
		home(".local/share/containers/podman/machine/podman.sock"),
	];
}

async function isSocket(path: string): Promise<boolean> {
	try {
		return (await stat(path)).isSocket();
	} catch {
		return false;
	}
}
