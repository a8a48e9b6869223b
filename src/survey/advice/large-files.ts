import type { ContextEntry } from "../../context/tree/manifest.js";
import type { Advice } from "../context-document.js";
import type { AdviceRequest } from "./advice-request.js";
import type { DockerfileWords } from "./dockerfile-words.js";
import type { Proposal } from "./proposal.js";

/** In bytes. */
const LARGE = 50_000_000;
const PATHS = 10;

/** Finds large files. Only of those that nobody takes it is certain that they can be left out. */
export function findLargeFiles(
	{ isNeeded }: Pick<AdviceRequest, "isNeeded">,
	entries: readonly ContextEntry[],
	words: DockerfileWords,
): { readonly proposals: readonly Proposal[]; readonly advice: readonly Advice[] } {
	const large = entries
		.filter(({ type, size, hardlink }) => type === "file" && size > LARGE && !hardlink)
		.sort((one, other) => other.size - one.size);
	const isSpare = ({ path }: ContextEntry) => isNeeded?.(path) === false && !words.names(path);
	const spare = large.filter(isSpare);
	const taken = large.filter((entry) => !isSpare(entry));
	const parts = spare.map(({ path }) => ({ claims: [path] }));
	const text = "a large file that no instruction takes";
	return {
		proposals: spare.length === 0 ? [] : [{ kind: "large-file", text, parts }],
		advice: taken.length === 0 ? [] : [adviceOn(taken)],
	};
}

function adviceOn(files: readonly ContextEntry[]): Advice {
	return {
		kind: "large-file",
		text: "large: does the image need it?",
		files: files.length,
		bytes: files.reduce((sum, { size }) => sum + size, 0),
		paths: files.slice(0, PATHS).map(({ path }) => path),
		lines: [],
	};
}
