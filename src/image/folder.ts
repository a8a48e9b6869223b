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
		if (code === "EEXIST" && (await isFolder(path))) return undefined;
		const parent = dirname(path);
		if (code !== "ENOENT" || parent === path) throw error;
		if (await isFolder(parent)) return makeIn(path, mode);
		const first = await makeFolder(parent, mode);
		await makeFolder(path, mode);
		return first ?? path;
	}
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

function isFolder(path: string): Promise<boolean> {
	return stat(path).then(
		(stats) => stats.isDirectory(),
		() => false,
	);
}
