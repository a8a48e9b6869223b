import type { IgnoreRules, MatchState } from "../../../../src/context/ignore/ignore-rules.js";

/**
 * What of a tree is sent: the paths that are not ignored and the directories they are in. As a walk
 * would, it enters a directory only if it is not ignored or may hold something that is re-included.
 *
 * @param paths directories end in "/", and come before what is in them
 */
export function sentPaths(rules: IgnoreRules, paths: readonly string[]): string[] {
	const states = new Map<string, MatchState>([["", rules.root()]]);
	const sent = new Set<string>();
	for (const written of paths) {
		const path = written.replace(/\/$/, "");
		const parent = states.get(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
		if (parent === undefined) continue;
		const state = rules.match(path, parent);
		if (!state.ignored) {
			for (const above of parentsOf(path)) sent.add(above);
			sent.add(written);
		}
		const isDirectory = written.endsWith("/");
		if (isDirectory && (!state.ignored || rules.mayReincludeBelow(path, state))) {
			states.set(path, state);
		}
	}
	return paths.filter((path) => sent.has(path));
}

function parentsOf(path: string): string[] {
	const names = path.split("/").slice(0, -1);
	return names.map((_, depth) => `${names.slice(0, depth + 1).join("/")}/`);
}
