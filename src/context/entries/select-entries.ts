import type { IgnoreRules, MatchState } from "../ignore/ignore-rules.js";
import type { ContextEntry } from "../tree/manifest.js";

/** A directory whose content is being selected. */
interface OpenDirectory {
	/** Its path and "/": what everything in it starts with. */
	readonly prefix: string;
	readonly entry: ContextEntry;
	readonly excluded: MatchState;
	readonly wanted: MatchState | undefined;
	selected: boolean;
}

/**
 * The entries that BuildKit's client would send (fsutil's filter.go): those that the one set of rules
 * does not leave out and the other one wants, and the directories that they are in.
 *
 * @param entries parents before children, siblings in the byte order of their names
 * @param wanted absent: everything
 */
export function selectEntries(
	entries: readonly ContextEntry[],
	excluded: IgnoreRules,
	wanted: IgnoreRules | undefined,
): ContextEntry[] {
	const selected: ContextEntry[] = [];
	const open: OpenDirectory[] = [];
	let closed = "";
	for (const entry of entries) {
		const { path } = entry;
		if (closed !== "" && path.startsWith(closed)) continue;
		while (open.length > 0 && !path.startsWith((open.at(-1) as OpenDirectory).prefix)) open.pop();
		const parent = open.at(-1);
		const state = {
			excluded: excluded.match(path, parent?.excluded ?? excluded.root()),
			wanted: wanted?.match(path, parent?.wanted ?? wanted.root()),
		};
		const isExcluded = state.excluded.ignored;
		// To these rules, what they fit is what is ignored.
		const isWanted = state.wanted?.ignored ?? true;
		const isSelected = isWanted && !isExcluded;
		if (isSelected) {
			for (const directory of open) {
				if (!directory.selected) selected.push(directory.entry);
				directory.selected = true;
			}
			selected.push(entry);
		}
		if (entry.type !== "directory") continue;
		const prefix = `${path}/`;
		const enter =
			(isWanted || wanted?.mayFitBelow(path)) &&
			(!isExcluded || excluded.mayReincludeBelow(path, state.excluded));
		if (enter) open.push({ prefix, entry, ...state, selected: isSelected });
		else closed = prefix;
	}
	return withFirstNames(entries, selected);
}

/** Of a file with several names, the first one that is selected stands for the file. */
export function withFirstNames(
	entries: readonly ContextEntry[],
	selected: ContextEntry[],
): ContextEntry[] {
	const several = new Set(entries.flatMap(({ hardlink }) => hardlink ?? []));
	if (several.size === 0) return selected;
	const firstNames = new Map<string, string>();
	return selected.map((entry) => {
		const file = entry.hardlink ?? entry.path;
		if (!several.has(file)) return entry;
		const first = firstNames.get(file);
		if (first !== undefined) return { ...entry, hardlink: first };
		firstNames.set(file, entry.path);
		const { hardlink: _, ...itself } = entry;
		return itself;
	});
}
