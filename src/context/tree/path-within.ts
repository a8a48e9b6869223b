import { isAbsolute, relative, sep } from "node:path";

/**
 * A path from a folder that it is in, "/"-separated; "" is the folder itself.
 *
 * @param folder absolute, as is the path; links in either are not followed
 * @returns undefined for what is outside: on Windows, also what is on another drive
 */
export function pathWithin(folder: string, path: string): string | undefined {
	const inside = relative(folder, path);
	if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return undefined;
	return sep === "/" ? inside : inside.replaceAll(sep, "/");
}
