import type { IgnoreRules, MatchState } from "../ignore/ignore-rules.js";
import type { ContextEntry } from "../tree/manifest.js";
import { PickedEntries } from "./picked-entries.js";

/** What both sets of rules say of a path. */
interface Matched {
	readonly excluded: MatchState;
	readonly wanted: MatchState | undefined;
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
	const selected = new PickedEntries<Matched>();
	let closed = "";
	for (const entry of entries) {
		const { path } = entry;
		if (closed !== "" && path.startsWith(closed)) continue;
		const parent = selected.goTo(path);
		const matched = {
			excluded: excluded.match(path, parent?.excluded ?? excluded.root()),
			wanted: wanted?.match(path, parent?.wanted ?? wanted.root()),
		};
		const isExcluded = matched.excluded.ignored;
		// To these rules, what they fit is what is ignored.
		const isWanted = matched.wanted?.ignored ?? true;
		if (isWanted && !isExcluded) selected.pick(entry);
		if (entry.type !== "directory") continue;
		const enter =
			(isWanted || wanted?.mayFitBelow(path)) &&
			(!isExcluded || excluded.mayReincludeBelow(path, matched.excluded));
		if (enter) selected.enter(entry, matched);
		else closed = `${path}/`;
	}
	return withFirstNames(entries, selected.all);
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
