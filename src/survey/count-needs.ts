import { EntryFinder } from "../context/entries/taken-entries.js";
import { IgnoreRules } from "../context/ignore/ignore-rules.js";
import type { ContextEntry } from "../context/tree/manifest.js";
import { ContextError } from "../errors.js";
import type { ContextNeeds } from "./context-document.js";
import type { ContextUse, DockerfileNeeds } from "./dockerfile/dockerfile-needs.js";

interface CountedNeeds {
	readonly needs: ContextNeeds;
	/** By position among the entries, for SentPath.neededBy. The lists are shared. */
	readonly neededBy: readonly (readonly number[])[];
}

/**
 * Which instruction takes which of the entries that are sent. What `--exclude` leaves out is not taken,
 * though a build is sent it; a link is taken with what it leads to.
 *
 * @param entries in the order of ContextManifest
 */
export function countNeeds(
	{ uses, doubts }: Pick<DockerfileNeeds, "uses" | "doubts">,
	entries: readonly ContextEntry[],
): CountedNeeds {
	const finder = new EntryFinder(entries);
	const lists = new TakerLists();
	const several = new Set(entries.flatMap(({ hardlink }) => hardlink ?? []));
	const neededBy: (readonly number[])[] = new Array(entries.length).fill(NOBODY);
	const instructions = uses.map((use, index) => {
		const isTaken = takenBy(use, finder);
		const sum = new Sum(several);
		for (const [position, entry] of entries.entries()) {
			if (!isTaken(entry, position)) continue;
			neededBy[position] = lists.with(neededBy[position] ?? NOBODY, index);
			sum.add(entry);
		}
		return { line: use.line, text: use.text, files: sum.files, bytes: sum.bytes };
	});
	const unused = new Sum(several);
	for (const [position, entry] of entries.entries()) {
		if (neededBy[position] === NOBODY) unused.add(entry);
	}
	const { files, bytes } = unused;
	return { needs: { instructions, unused: { files, bytes }, doubts }, neededBy };
}

const NOBODY: readonly number[] = [];

function takenBy(
	{ paths, excludes, pivots }: ContextUse,
	finder: EntryFinder,
): (entry: ContextEntry, position: number) => boolean {
	const found = finder.find(paths);
	const isExcluded = excludes.length === 0 ? () => false : exclusion(excludes);
	return ({ path }, position) => {
		const root = found === undefined ? 0 : (found.roots[position] ?? 0);
		if (found !== undefined && root === 0) return false;
		const below = pivots === undefined ? path.slice(root && root + 1) : belowPivot(path, pivots);
		return below === "" || !isExcluded(below);
	};
}

/** As BuildKit leaves out, on Linux. Patterns that it refuses do not; of some that shows only when they are tried. */
function exclusion(patterns: readonly string[]): (path: string) => boolean {
	const tried = <Result>(attempt: () => Result): Result | undefined => {
		try {
			return attempt();
		} catch (error) {
			if (error instanceof ContextError) return undefined;
			throw error;
		}
	};
	const rules = tried(() => IgnoreRules.of(patterns, "--exclude", "linux"));
	return (path) => tried(() => rules?.ignores(path)) ?? false;
}

function belowPivot(path: string, pivots: readonly string[]): string {
	const pivot = pivots.find((pivot) => pivot !== "" && path.startsWith(`${pivot}/`));
	return pivot === undefined ? path : path.slice(pivot.length + 1);
}

/** Counts as ContextManifest does: each inode's bytes once. */
class Sum {
	files = 0;
	bytes = 0;
	/** The first names of files that have several. */
	readonly #several: ReadonlySet<string>;
	readonly #counted = new Set<string>();

	constructor(several: ReadonlySet<string>) {
		this.#several = several;
	}

	add({ path, type, size, hardlink }: ContextEntry): void {
		if (type === "directory") return;
		this.files += 1;
		const file = hardlink ?? path;
		if (!this.#counted.has(file)) this.bytes += size;
		if (this.#several.has(file)) this.#counted.add(file);
	}
}

/** Most files have the same few takers. */
class TakerLists {
	readonly #longer = new Map<readonly number[], Map<number, readonly number[]>>();

	with(takers: readonly number[], index: number): readonly number[] {
		const longer = this.#longer.get(takers) ?? new Map<number, readonly number[]>();
		this.#longer.set(takers, longer);
		const list = longer.get(index) ?? [...takers, index];
		longer.set(index, list);
		return list;
	}
}
