import { accessSync, constants } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Environment } from "./environment.js";

type Machine = Pick<Environment, "platform" | "variables">;

/** What libuv starts on Windows. */
const WINDOWS_PROGRAMS = [".com", ".exe"];
/** What only its shell runs. Google Cloud's SDK has its credential helper for docker as such a script. */
const WINDOWS_SCRIPTS = [".bat", ".cmd"];

/** Where on the PATH a program is, by its name, or on Windows a script; undefined where it is not. */
export function findProgram(name: string, machine: Machine): string | undefined {
	return find(name, machine, [...WINDOWS_PROGRAMS, ...WINDOWS_SCRIPTS]);
}

/**
 * What to start for the name of a program. Windows looks into the current folder before the PATH, and that may
 * be a checkout of which nothing is to be run: there it is the whole path (as in Go, exec.ErrDot), and for what is
 * not on the PATH a path that is not there, so that it is missed as elsewhere, with ENOENT.
 */
export function programToStart(name: string, machine: Machine): string {
	if (machine.platform !== "win32" || /[\\/:]/.test(name)) return name;
	const [first = "/"] = foldersOf(machine);
	return find(name, machine, WINDOWS_PROGRAMS) ?? join(first, `${name}.exe`);
}

interface Start {
	readonly program: string;
	readonly args: readonly string[];
	/** For spawn(): they are quoted already. */
	readonly windowsVerbatimArguments: boolean;
}

/**
 * The same for what may be a script on Windows.
 * @param args single words that mean nothing to a shell
 */
export function commandToStart(name: string, args: readonly string[], machine: Machine): Start {
	const found = machine.platform === "win32" ? findProgram(name, machine) : undefined;
	if (found === undefined || !WINDOWS_SCRIPTS.some((ending) => found.endsWith(ending))) {
		return { program: programToStart(name, machine), args, windowsVerbatimArguments: false };
	}
	const { ComSpec = "C:\\Windows\\System32\\cmd.exe" } = machine.variables;
	// The shell takes the outer quotes off.
	const line = `""${found}" ${args.join(" ")}"`;
	return { program: ComSpec, args: ["/d", "/s", "/c", line], windowsVerbatimArguments: true };
}

function find(name: string, machine: Machine, endings: readonly string[]): string | undefined {
	const places = foldersOf(machine).flatMap((folder) =>
		endingsOf(name, machine, endings).map((ending) => join(folder, name + ending)),
	);
	return places.find(mayBeRun);
}

function foldersOf({ platform, variables }: Machine): readonly string[] {
	const { PATH, Path } = variables;
	const path = PATH ?? Path ?? "";
	if (platform !== "win32") return path.split(":").filter((folder) => folder !== "");
	const folders = path.split(";").map((folder) => folder.replaceAll('"', ""));
	// One that is relative would be within the current folder again.
	return folders.filter((folder) => isAbsolute(folder));
}

function endingsOf(
	name: string,
	{ platform }: Machine,
	endings: readonly string[],
): readonly string[] {
	if (platform !== "win32") return [""];
	return /\.[^.]+$/.test(name) ? ["", ...endings] : endings;
}

function mayBeRun(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
