import type { ContextEntry } from "../../context/tree/manifest.js";
import { comparePaths } from "../../context/tree/path-bytes.js";
import type { SourceTree } from "../../context/tree/source-tree.js";
import type { SecretFinding } from "../context-document.js";
import { allowedSecrets } from "./allowed-secrets.js";
import { findSecrets } from "./find-secrets.js";
import { SUSPECT_PATH } from "./suspect-paths.js";
import { scanTexts } from "./text-scan.js";

/** A context to look for credentials in. */
interface SecretSurvey {
	readonly tree: SourceTree;
	/** What would be sent. */
	readonly entries: readonly ContextEntry[];
	/** The ignore file that applies, with its "# rbuild:allow-secret" lines. */
	readonly ignore?: { readonly content: Uint8Array; readonly file: string } | undefined;
}

/**
 * Finds what would be sent and looks like credentials: files that are known to hold them, as a build does,
 * and beyond that the contents of small texts.
 *
 * @throws ContextError for bad "# rbuild:allow-secret" lines; the signal's reason
 */
export async function surveySecrets(
	{ tree, entries, ignore }: SecretSurvey,
	signal: AbortSignal,
): Promise<SecretFinding[]> {
	const allowed = allowedSecrets(ignore);
	const suspects = entries
		.filter(({ path, type }) => type === "file" && SUSPECT_PATH.test(path))
		.map(({ path }) => path);
	const named = findSecrets(tree, suspects, allowed, signal);
	const known = new Set(named.map(({ path }) => path));
	const found = await scanTexts(tree, entries, known, allowed, signal);
	return [...named, ...found].sort((one, other) => comparePaths(one.path, other.path));
}
