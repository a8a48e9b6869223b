import type { Advice } from "../context-document.js";
import type { AdviceRequest } from "./advice-request.js";
import { DockerfileWords } from "./dockerfile-words.js";
import { findDuplicates } from "./duplicates.js";
import { findGitDirectories } from "./git-directories.js";
import { findGitIgnored } from "./git-ignored.js";
import { findGitRepository } from "./git-repository.js";
import { findLargeFiles } from "./large-files.js";
import { findMadeFolders } from "./made-folders.js";
import { findNewTimes } from "./new-times.js";
import { adviceFromProposals, outsideOf } from "./proposal.js";

/**
 * What could be left out of a context, and what else is odd about it; the largest gain comes first.
 * Together the lines save what each of them says: none counts what another does.
 *
 * @throws ContextError; the signal's reason
 */
export function adviseOn(request: AdviceRequest, signal: AbortSignal): Advice[] {
	const { tree, entries, ignore } = request;
	const words = new DockerfileWords(request.dockerfile);
	const made = findMadeFolders(request, words);
	const git = findGitDirectories(request, words, made.folders);
	signal.throwIfAborted();
	const repository = findGitRepository(tree.root);
	const apart = new Set([...git.directories, ...made.folders]);
	const ignored = repository && findGitIgnored(request, repository, apart, words);
	signal.throwIfAborted();
	const proposals = [...git.proposals, ...made.proposals, ...(ignored ? [ignored] : [])];
	const rest = outsideOf(proposals, entries);
	const large = findLargeFiles(request, rest, words);
	const saving = adviceFromProposals(request, [...proposals, ...large.proposals]);
	return [
		...(ignore === undefined && saving.length > 0 ? [MISSING] : []),
		...saving.sort((one, other) => other.bytes - one.bytes),
		...large.advice,
		...findDuplicates(rest, tree, signal),
		...(request.earlier ? findNewTimes(rest, tree, request.earlier, signal) : []),
	];
}

const MISSING: Advice = {
	kind: "no-ignore-file",
	text: "there is no .dockerignore, so everything in the directory is sent",
	files: 0,
	bytes: 0,
	paths: [],
	lines: [],
};
