import type { ContextEntry } from "../tree/manifest.js";

interface OpenDirectory<State> {
	/** Its path and "/": what everything in it starts with. */
	readonly prefix: string;
	readonly entry: ContextEntry;
	readonly state: State;
	isPicked: boolean;
}

/**
 * Entries picked from a walk, and the directories that they are in: each of those comes before the first
 * entry that is picked in it, which is how BuildKit's client sends them (fsutil's filter.go).
 */
export class PickedEntries<State = undefined> {
	readonly all: ContextEntry[] = [];
	readonly #open: OpenDirectory<State>[] = [];

	/**
	 * Goes on to a path, in the order of the walk.
	 * @returns what enter() was told of the directory that it is in
	 */
	goTo(path: string): State | undefined {
		const open = this.#open;
		while (open.length > 0 && !path.startsWith(open.at(-1)?.prefix ?? "")) open.pop();
		return open.at(-1)?.state;
	}

	pick(entry: ContextEntry): void {
		for (const directory of this.#open) {
			if (!directory.isPicked) this.all.push(directory.entry);
			directory.isPicked = true;
		}
		this.all.push(entry);
	}

	/** Goes into the directory, which was picked or not. */
	enter(entry: ContextEntry, state: State): void {
		const isPicked = this.all.at(-1) === entry;
		this.#open.push({ prefix: `${entry.path}/`, entry, state, isPicked });
	}
}
