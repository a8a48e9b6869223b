import { mkdirSync, statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it that are not there. As node's recursive mkdir, which however never
 * returns where a folder that is there takes no others, such as /proc (seen with node 20).
 *
 * @param mode of what is made
 * @returns the first one that was made, from the top; undefined if all were there
 * @throws NodeJS.ErrnoException
 */
export async function makeFolder(path: string, mode = 0o777): Promise<string | undefined> {
	try {
		await mkdir(path, { mode });
		return path;
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (isTaken(code) && (await isFolder(path))) return undefined;
		const parent = dirname(path);
		if (code !== "ENOENT" || parent === path) throw error;
		if (await isFolder(parent)) return makeIn(path, mode);
		const first = await makeFolder(parent, mode);
		await makeFolder(path, mode);
		return first ?? path;
	}
}

/** makeFolder(), which blocks its thread. @throws NodeJS.ErrnoException */
export function makeFolderSync(path: string, mode = 0o777): void {
	try {
		mkdirSync(path, { mode });
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (isTaken(code) && isFolderSync(path)) return;
		const parent = dirname(path);
		if (code !== "ENOENT" || parent === path) throw error;
		if (isFolderSync(parent)) {
			makeInSync(path, mode);
		} else {
			makeFolderSync(parent, mode);
			makeFolderSync(path, mode);
		}
	}
}

/** EPERM is what Windows says of C:\. */
function isTaken(code: string | undefined): boolean {
	return code === "EEXIST" || code === "EPERM";
}

/** In a folder that takes none, or that another process has made just now. */
async function makeIn(path: string, mode: number): Promise<string | undefined> {
	try {
		await mkdir(path, { mode });
		return path;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "EEXIST" && (await isFolder(path))) return;
		throw error;
	}
}

function makeInSync(path: string, mode: number): void {
	try {
		mkdirSync(path, { mode });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !isFolderSync(path)) throw error;
	}
}

function isFolder(path: string): Promise<boolean> {
	return stat(path).then(
		(stats) => stats.isDirectory(),
		() => false,
	);
}

function isFolderSync(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
