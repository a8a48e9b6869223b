import * as os from "node:os";
import { IgnoreRules } from "../../context/ignore/ignore-rules.js";
import { ContextError } from "../../errors.js";

/**
 * A line of a .dockerignore that fits a path and what is below it. What has no way to be written there,
 * such as a line break, is a "?", and then the line may fit other paths, too. On Windows, that is so of all
 * characters that mean something.
 */
export function ignoreLine(path: string, platform: NodeJS.Platform = os.platform()): string {
	if (!/[*?[\]\\\p{Control}]|^[!#\s]|\s$/u.test(path)) return path;
	// Where docker makes an expression of a pattern, it does not escape these: see pattern-form.ts.
	return path.replace(
		/([*?[\]\\]|^[!#])|[|{}^]|\p{Control}|^\s|\s$/gu,
		(character, special: string | undefined) =>
			special === undefined || platform === "win32" ? "?" : `\\${character}`,
	);
}

/** Whether docker takes this for one rule that leaves something out. */
export function isIgnoreLine(line: string, platform: NodeJS.Platform = os.platform()): boolean {
	try {
		const rules = IgnoreRules.parse(line, "advice", platform);
		// Some mistakes are found when a rule is tried.
		rules.ignores("any");
		return rules.rules.length === 1 && rules.rules[0]?.negated === false;
	} catch (error) {
		if (error instanceof ContextError) return false;
		throw error;
	}
}
