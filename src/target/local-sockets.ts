import { readdir, stat } from "node:fs/promises";
import { posix } from "node:path";
import type { Environment } from "../environment.js";
import { daemonSockets } from "./daemon-sockets.js";

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
	const { variables, homeDirectory: home } = environment;
	const config = variables.XDG_CONFIG_HOME || posix.join(home, ".config");
	for (const pattern of daemonSockets({ home, config, runtime: variables.XDG_RUNTIME_DIR })) {
		for (const path of await pathsOf(posix.normalize(pattern))) {
			if (await isSocket(path)) return path;
		}
	}
	return undefined;
}

/** @param pattern which may have one "*", the name of a folder */
async function pathsOf(pattern: string): Promise<readonly string[]> {
	const [folder = "", path] = pattern.split("/*/");
	if (path === undefined) return [pattern];
	const names = await readdir(folder).catch((): readonly string[] => []);
	return [...names].sort().map((name) => posix.join(folder, name, path));
}

async function isSocket(path: string): Promise<boolean> {
	try {
		return (await stat(path)).isSocket();
	} catch {
		return false;
	}
}
