import { readdir, stat } from "node:fs/promises";
import { posix } from "node:path";
import type { Environment } from "../environment.js";

const WINDOWS_PIPES = "\\\\.\\pipe\\";
/** Docker's default on Windows (moby, client/client_windows.go). */
const WINDOWS_PIPE = "docker_engine";

/**
 * Where a daemon of this machine listens; undefined where there is none.
 * @param namesIn for a test to fake
 */
export async function localSocket(
	environment: Environment,
	namesIn: (folder: string) => Promise<readonly string[]> = readdir,
): Promise<string | undefined> {
	if (environment.platform === "win32") {
		// A pipe cannot be looked at without opening it, but they can be listed, as a rule; there are always some.
		const names = await namesIn(WINDOWS_PIPES).catch((): readonly string[] => []);
		if (names.length > 0 && !names.includes(WINDOWS_PIPE)) return undefined;
		return WINDOWS_PIPES + WINDOWS_PIPE;
	}
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
