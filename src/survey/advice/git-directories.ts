import type { AdviceRequest } from "./advice-request.js";
import type { DockerfileWords } from "./dockerfile-words.js";
import type { Proposal } from "./proposal.js";

/** Steps that ask git about the project, as for a version. */
const ASKS_GIT =
	/\bgit\s+(?:-\S+\s+\S+\s+)?(?:describe|rev-parse|rev-list|log|show|status|ls-files|submodule|lfs|archive)\b|\bsetuptools[_-]scm\b|\bgitversion\b/i;

/**
 * Finds .git, that of the context and those of submodules.
 *
 * @param apart folders that are spoken for as a whole
 */
export function findGitDirectories(
	{ entries, isNeeded }: Pick<AdviceRequest, "entries" | "isNeeded">,
	words: DockerfileWords,
	apart: ReadonlySet<string>,
): { readonly proposals: readonly Proposal[]; readonly directories: readonly string[] } {
	const directories: string[] = [];
	let isTaken = false;
	let inside = "";
	for (const { path } of entries) {
		if (inside !== "" && path.startsWith(`${inside}/`)) {
			isTaken ||= directories.at(-1) === inside && isNeeded?.(path) !== false;
			continue;
		}
		const isGit = path === ".git" || path.endsWith("/.git");
		inside = isGit || apart.has(path) ? path : "";
		if (isGit) directories.push(path);
	}
	const claims = directories.filter((path) => !words.names(path));
	if (claims.length === 0 || (isTaken && words.does(ASKS_GIT))) {
		return { proposals: [], directories };
	}
	const line = claims.length === 1 ? undefined : "**/.git";
	const text = "the history of the project, which no image needs";
	return { proposals: [{ kind: "git-directory", text, parts: [{ claims, line }] }], directories };
}
