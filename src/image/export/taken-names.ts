import { lstatSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Two files of a tar that can only be one here. */
export interface Collision {
	readonly path: string;
	/** The one that came before it. */
	readonly other: string;
}

/** The names that files get in a folder: some systems take "README" and "readme" for the same. */
export class TakenNames {
	readonly collisions: Collision[] = [];
	readonly #paths = new Map<string, string>();
	readonly #fold: (name: string) => string;

	/** @param foldsCase whether upper and lower case are the same, as are the forms of a composed letter */
	constructor(foldsCase: boolean) {
		this.#fold = foldsCase ? (name) => name.normalize("NFC").toLowerCase() : (name) => name;
	}

	/**
	 * @param path within the tar
	 * @param name what it is called here
	 */
	take(path: string, name: string): void {
		const folded = this.#fold(name);
		const other = this.#paths.get(folded);
		if (other === undefined) this.#paths.set(folded, path);
		else if (other !== path) this.collisions.push({ path, other });
	}
}

/** @param folder whose name has a letter */
export function foldsCase(folder: string): boolean {
	const inCapitals = join(dirname(folder), basename(folder).toUpperCase());
	return inCapitals !== folder && lstatSync(inCapitals, { throwIfNoEntry: false }) !== undefined;
}
