import { lstatSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../src/installed-program.js";

// Why tests cannot run on this system, for their `skip`; false where they can.

const { platform, env: variables } = process;
const isWindows = platform === "win32";

export const noPermissions = isWindows && "Windows knows no permissions but to write";
export const noSuchNames = isWindows && "Windows takes no such names";
export const noHalfOpenPipes = isWindows && "pipes of Windows are closed in both directions";
export const posixOnly = isWindows && "it is about the words, paths or codes of a Unix";
export const noSymlinks = !areSymlinksMade() && "this user can make no symlinks here";

/** On Windows, few may make them; wine says that it has made them, and has not. */
function areSymlinksMade(): boolean {
	const folder = mkdtempSync(join(tmpdir(), "rbuild-symlink-"));
	try {
		symlinkSync("target", join(folder, "link"));
		return lstatSync(join(folder, "link")).isSymbolicLink();
	} catch {
		return false;
	} finally {
		rmSync(folder, { recursive: true });
	}
}

export function without(program: string): string | false {
	return findProgram(program, { platform, variables }) === undefined && `there is no ${program}`;
}
