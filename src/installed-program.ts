import { accessSync, constants } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Environment } from "./environment.js";

type Machine = Pick<Environment, "platform" | "variables">;

/** What libuv starts on Windows; it starts no .cmd and no .bat. */
const WINDOWS_ENDINGS = [".com", ".exe"];

/** Where on the PATH a program is, by its name; undefined where it is not. */
export function findProgram(name: string, machine: Machine): string | undefined {
	const places = foldersOf(machine).flatMap((folder) =>
		endingsOf(name, machine).map((ending) => join(folder, name + ending)),
	);
	return places.find(mayBeRun);
}

/**
 * What to start for the name of a program. Windows looks into the current folder before the PATH, and that may
 * be a checkout of which nothing is to be run: there it is the whole path (as in Go, exec.ErrDot), and for what is
 * not on the PATH a path that is not there, so that it is missed as elsewhere, with ENOENT.
 */
export function programToStart(name: string, machine: Machine): string {
	if (machine.platform !== "win32" || /[\\/:]/.test(name)) return name;
	const [first = "/"] = foldersOf(machine);
	return findProgram(name, machine) ?? join(first, `${name}.exe`);
}

function foldersOf({ platform, variables }: Machine): readonly string[] {
	const { PATH, Path } = variables;
	const path = PATH ?? Path ?? "";
	if (platform !== "win32") return path.split(":").filter((folder) => folder !== "");
	const folders = path.split(";").map((folder) => folder.replaceAll('"', ""));
	// One that is relative would be within the current folder again.
	return folders.filter((folder) => isAbsolute(folder));
}

function endingsOf(name: string, { platform }: Machine): readonly string[] {
	if (platform !== "win32") return [""];
	return /\.[^.]+$/.test(name) ? ["", ...WINDOWS_ENDINGS] : WINDOWS_ENDINGS;
}

function mayBeRun(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
