import type { IgnoreRules } from "../../context/ignore/ignore-rules.js";
import type { SourceTree } from "../../context/tree/source-tree.js";
import type { SecretFinding } from "../context-document.js";
import { readStart } from "../file-start.js";
import { isKnownFile, judgeFile } from "./known-files.js";
import { isSample } from "./samples.js";

/** Credentials stand near the start of such a file, and of a key store the first bytes are enough. */
const READ_BYTES = 256 * 1024;

/**
 * Looks into files whose names are those of credentials.
 *
 * @param paths in the context
 * @param allowed see allowedSecrets()
 * @throws the signal's reason
 */
export function findSecrets(
	tree: SourceTree,
	paths: Iterable<string>,
	allowed: Pick<IgnoreRules, "ignores">,
	signal: AbortSignal,
): SecretFinding[] {
	const findings: SecretFinding[] = [];
	for (const path of paths) {
		signal.throwIfAborted();
		if (!isKnownFile(path) || isSample(path) || allowed.ignores(path)) continue;
		const content = readStart(tree, path, READ_BYTES);
		const found = content && judgeFile(path, content);
		if (found !== undefined) findings.push({ path, ...found });
	}
	return findings;
}
