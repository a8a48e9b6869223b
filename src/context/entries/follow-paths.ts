import { posix } from "node:path";
import { patternError } from "../ignore/ignore-rules.js";
import { pathPattern } from "../ignore/path-pattern.js";
import type { EntryType } from "../tree/manifest.js";

/** How many links may be passed on the way to one path; Linux allows 40. */
const LINK_LIMIT = 255;

/** Where such paths are from, for messages. */
export const PATHS_SOURCE = "what the Dockerfile takes";

/** What links are looked up in: see SourceTree. */
export interface FollowedTree {
	look(path: string): { readonly type: EntryType } | undefined;
	/** Of a symlink. */
	linkTarget(path: string): string;
	/** Undefined if there is no such directory. */
	names(directory: string): readonly string[] | undefined;
}

/** Where a path leads in a context, of which it cannot leave the root: "" for the root itself. */
export function inContext(path: string): string {
	return posix.join("/", path).split("/").filter(Boolean).join("/");
}

/**
 * What has to be there for each of the paths to lead where it leads: the path itself, and every link
 * on it with its target (fsutil's FollowLinks). The context is the root of the links, too: "/etc" and
 * "../../etc" both mean what is called "etc" in it, so none of them leads out.
 *
 * @param paths relative to the context; a name with wildcards stands for the links that it fits
 * @returns patterns for IgnoreRules.of(); undefined if one of them is the context itself
 * @throws ContextError for bad syntax, where links are looked for by it
 */
export function followPaths(
	tree: FollowedTree,
	paths: readonly string[],
): readonly string[] | undefined {
	const follower = new Follower(tree);
	for (const path of paths) follower.follow(path, LINK_LIMIT);
	return follower.found.has("") ? undefined : [...follower.found].sort();
}

class Follower {
	readonly found = new Set<string>();
	readonly #tree: FollowedTree;
	readonly #followed = new Set<string>();

	constructor(tree: FollowedTree) {
		this.#tree = tree;
	}

	follow(path: string, linksLeft: number): void {
		const whole = inContext(path);
		const names = whole === "" ? [] : whole.split("/");
		if (this.#followed.has(whole) || linksLeft === 0) return;
		this.#followed.add(whole);
		for (let depth = 1; depth <= names.length; depth++) {
			const current = names.slice(0, depth).join("/");
			const targets = this.#targets(current);
			if (targets.length === 0) continue;
			this.found.add(current);
			const rest = names.slice(depth).join("/");
			for (const target of targets) this.follow(`${target}/${rest}`, linksLeft - 1);
			return;
		}
		this.found.add(whole);
	}

	/** Where the links at the path lead, as paths in the context. */
	#targets(path: string): string[] {
		const directory = parentOf(path);
		const name = path.slice(directory.length === 0 ? 0 : directory.length + 1);
		const names = hasWildcards(name) ? this.#fittingNames(directory, name) : [name];
		return names.flatMap((name) => this.#target(directory, name) ?? []);
	}

	#target(directory: string, name: string): string | undefined {
		const path = directory === "" ? name : `${directory}/${name}`;
		if (this.#tree.look(path)?.type !== "symlink") return undefined;
		const target = this.#tree.linkTarget(path);
		return posix.join("/", target.startsWith("/") ? target : `${directory}/${target}`);
	}

	#fittingNames(directory: string, name: string): string[] {
		if (directory !== "" && this.#tree.look(directory)?.type !== "directory") return [];
		const whole = directory === "" ? name : `${directory}/${name}`;
		const pattern = pathPattern(name, (cause) => patternError(PATHS_SOURCE, whole, cause));
		if (pattern.by !== "test") return [];
		return (this.#tree.names(directory) ?? []).filter((name) => pattern.fits(name));
	}
}

function parentOf(path: string): string {
	const end = path.lastIndexOf("/");
	return end < 0 ? "" : path.slice(0, end);
}

/** As Go's filepath.Match reads it: "\" takes the meaning of the next character away. */
function hasWildcards(name: string): boolean {
	return /^(?:\\.|[^\\*?[])*[*?[]/su.test(name);
}
