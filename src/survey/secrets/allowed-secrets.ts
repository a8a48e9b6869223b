import { IgnoreRules } from "../../context/ignore/ignore-rules.js";
import { fromBytes } from "../../context/tree/path-bytes.js";

const ALLOWS = /^#\s*rbuild:allow-secret\s+(.*)$/;

/**
 * The lines "# rbuild:allow-secret PATTERN" of an ignore file: rules of their own, which are read as docker
 * reads those of the file, "!" included.
 *
 * @throws ContextError `FILE:LINE: ...` for bad syntax
 */
export function allowedSecrets(
	ignore: { readonly content: Uint8Array; readonly file: string } | undefined,
): Pick<IgnoreRules, "ignores"> {
	if (ignore === undefined) return IgnoreRules.none();
	const lines = fromBytes(ignore.content).split("\n");
	// Lines without one stay, empty, so that the others keep their numbers.
	const patterns = lines.map((line) => ALLOWS.exec(line.trimEnd())?.[1] ?? "");
	return IgnoreRules.parse(patterns.join("\n"), ignore.file);
}
