import { readdir, readlink } from "node:fs/promises";
import { posix } from "node:path";
import type { LocalContext } from "../../context/build-context.js";
import { IgnoreRules, type MatchState } from "../../context/ignore/ignore-rules.js";
import { pathOnDisk, printablePath } from "../../context/tree/path-bytes.js";
import { suggestion } from "../../suggestion.js";

/** A directory that a build is made from, as far as it tells why something is missing there. */
export type SearchedContext = Pick<LocalContext, "root" | "ignore" | "dockerfile">;

/** As many as Linux follows. */
const LINKS = 40;

/** The builders' words for a path of the context that is not there: BuildKit, the classic builder and Podman. */
const MISSING_PATHS = [
	/^"\/([^"\\]*)"(?: not found)?: not found$/,
	/excluded by \.dockerignore: stat (.*): file does not exist$/,
	/: copier: stat: "\/([^"\\]*)": no such file or directory$/,
	/^copier: get: lstat "\/([^"\\]*)"/,
	/: generating checksum for \w+ "([^"\\]*)" in /,
];

/** The same for the folder that a pattern is looked for in: BuildKit and Podman. */
const MISSING_FOLDERS = [
	/^lstat \/(.+): no such file or directory$/,
	/; copier: stat: \["\/([^"\\*?[]+)\/[^"\\/]*"\]: no such file or directory$/,
];

/**
 * What of the context a builder does not find, "/"-separated, with a "/" at the end of the folder of a pattern;
 * undefined where that is not told by its words.
 */
export function missingPath(reason: string): string | undefined {
	const folder = firstFound(MISSING_FOLDERS, reason);
	return folder === undefined ? firstFound(MISSING_PATHS, reason) : `${folder}/`;
}

function firstFound(patterns: readonly RegExp[], text: string): string | undefined {
	for (const pattern of patterns) {
		const found = pattern.exec(text)?.[1];
		if (found !== undefined) return found;
	}
	return undefined;
}

/**
 * Why a build does not find that path in the context: for a hint.
 *
 * @param path as missingPath() gives it
 * @param step its text, which has the path as it is written
 * @returns undefined where nothing on this side tells it
 */
export async function whyMissing(
	path: string,
	step: string,
	context: SearchedContext,
): Promise<string | undefined> {
	// The daemon misses files of its own in the same words.
	if (path.endsWith("/") && !leadsInto(path, step)) return undefined;
	if (leadsAbove(path, step)) {
		return "a build sees nothing above its context: give it the folder that holds all it needs, and the Dockerfile with -f";
	}
	// A pattern may fit anything.
	if (/[*?[]/.test(path)) return undefined;
	const { ignore } = context;
	const rules = ignore ? IgnoreRules.parse(ignore.content, ignore.file) : IgnoreRules.none();
	return search(path.replace(/\/$/, ""), context, rules, LINKS);
}

/** Builders take ".." off before they look: `COPY ../x .` does not find "x". */
function leadsAbove(path: string, step: string): boolean {
	return wordsOf(step).some(
		(word) => word.startsWith("../") && posix.join("/", word) === `/${path}`,
	);
}

function leadsInto(folder: string, step: string): boolean {
	return wordsOf(step).some((word) => posix.join("/", word).startsWith(`/${folder}`));
}

/** The paths of an instruction among them, normalized. */
function wordsOf(step: string): readonly string[] {
	return step.split(/[\s",=[\]]+/).map((word) => posix.normalize(word));
}

async function search(
	path: string,
	context: SearchedContext,
	rules: IgnoreRules,
	links: number,
): Promise<string | undefined> {
	let state = rules.root();
	let folder = "";
	for (const name of path.split("/")) {
		const here = posix.join(folder, name);
		const found = await lookUp(folder, name, context.root);
		if (found.kind === "absent") return whyAbsent(path, folder, found.nearest, context);
		state = rules.match(here, state);
		const mayBeSent = found.kind === "folder" && rules.mayReincludeBelow(here, state);
		if (state.ignored && !mayBeSent) return leftOutBy(here, state, context);
		if (found.kind === "link") {
			const target = posix.join(folder, found.target);
			const isOutside = posix.isAbsolute(found.target) || target.split("/", 1)[0] === "..";
			const what = `${printablePath(here)} is a link to ${printablePath(found.target)}`;
			if (isOutside || links === 0) return `${what}, which is not in the build context`;
			const rest = path.slice(here.length);
			const why = await search(posix.join(target, rest), context, rules, links - 1);
			return why && `${what}; ${why}`;
		}
		folder = here;
	}
	// A folder of which nothing is sent, or what came after the context was read.
	return state.ignored ? leftOutBy(path, state, context) : undefined;
}

type Found =
	| { readonly kind: "folder" | "other" }
	| { readonly kind: "link"; readonly target: string }
	/** "nearest" is what may have been meant. */
	| { readonly kind: "absent"; readonly nearest: string | undefined };

/** By the names as they are listed: macOS and Windows open a file by another spelling, which no builder finds. */
async function lookUp(folder: string, name: string, root: string): Promise<Found> {
	const entries = await readdir(pathOnDisk(root, folder), { withFileTypes: true }).catch(() => []);
	const entry = entries.find((one) => one.name === name);
	if (entry === undefined) {
		const names = entries.map((one) => one.name);
		const inOtherCase = names.find((one) => one.toLowerCase() === name.toLowerCase());
		return { kind: "absent", nearest: inOtherCase ?? similar(name, names) };
	}
	if (!entry.isSymbolicLink()) return { kind: entry.isDirectory() ? "folder" : "other" };
	const target = await readlink(pathOnDisk(root, posix.join(folder, name)));
	return { kind: "link", target: target.replaceAll("\\", "/") };
}

/** Of two letters, all names of two letters are made by changing one. */
function similar(name: string, names: readonly string[]): string | undefined {
	return name.length < 3 ? undefined : suggestion(name, names);
}

async function whyAbsent(
	path: string,
	folder: string,
	nearest: string | undefined,
	{ root, dockerfile = "" }: SearchedContext,
): Promise<string> {
	const absent = `there is no ${printablePath(path)} in the build context, ${printablePath(root)}`;
	if (nearest !== undefined) {
		return `${absent}; did you mean ${printablePath(posix.join(folder, nearest))}?`;
	}
	const beside = posix.join(posix.dirname(dockerfile), path);
	if (beside === path) return absent;
	const { kind } = await lookUp(posix.dirname(beside), posix.basename(beside), root);
	if (kind === "absent") return absent;
	return `${absent}, where all paths begin; did you mean ${printablePath(beside)}?`;
}

function leftOutBy(
	path: string,
	{ rule }: MatchState,
	{ ignore }: SearchedContext,
): string | undefined {
	if (rule?.line === undefined || ignore === undefined) return undefined;
	const where = `${printablePath(ignore.file)}:${rule.line}`;
	return `${printablePath(path)} is left out by ${where}: ${printablePath(rule.text)}`;
}
