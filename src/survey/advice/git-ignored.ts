import type { AdviceRequest } from "./advice-request.js";
import type { DockerfileWords } from "./dockerfile-words.js";
import type { GitRepository } from "./git-repository.js";
import { type GitRule, GitRules } from "./git-rules.js";
import { ignoreLine } from "./ignore-line.js";
import type { Proposal } from "./proposal.js";

/**
 * Finds what git ignores and docker would send.
 *
 * @param apart directories of which others know better; nothing in them is looked at
 */
export function findGitIgnored(
	{ tree, entries }: Pick<AdviceRequest, "tree" | "entries">,
	repository: GitRepository,
	apart: ReadonlySet<string>,
	words: DockerfileWords,
): Proposal | undefined {
	const rules = new GitRules(repository, tree.root);
	if (rules.ignoresContext()) return undefined;
	const parts = new Map<string, { readonly claims: string[]; readonly line: string | undefined }>();
	let below: string | undefined;
	for (const { path, type } of entries) {
		if (below !== undefined && path.startsWith(below)) continue;
		const verdict = apart.has(path) ? "apart" : rules.verdict(path, type);
		below = type === "directory" && verdict !== "sent" ? `${path}/` : undefined;
		if (verdict === "sent" || verdict === "apart" || words.names(path)) continue;
		const key = `${verdict.base}\n${verdict.pattern}`;
		const part = parts.get(key) ?? { claims: [], line: lineFor(verdict, repository.prefix) };
		part.claims.push(path);
		parts.set(key, part);
	}
	if (parts.size === 0) return undefined;
	const text = "git ignores this, and docker does not";
	return { kind: "git-ignored", text, parts: [...parts.values()] };
}

/** The same in docker's words, where that can be said: whether it is, adviceFromProposals() finds out. */
function lineFor({ base, pattern }: GitRule, prefix: string): string | undefined {
	const body = pattern.replace(/\/$/, "");
	const isAnchored = body.includes("/");
	const anchored = body.replace(/^\//, "");
	if (base.startsWith(prefix)) {
		const where = ignoreLine(base.slice(prefix.length));
		return `${where}${isAnchored ? anchored : `**/${body}`}`;
	}
	if (!isAnchored) return `**/${body}`;
	const full = `${base}${anchored}`;
	return full.startsWith(prefix) ? full.slice(prefix.length) : undefined;
}
