import { fromBytes, toBytes } from "../tree/path-bytes.js";

/**
 * How a pattern is compared with a path. Patterns without wildcards, or with "**" at one end only, are
 * compared as text; this is not only faster but matches other paths than the expression would (a "^"
 * is itself, a newline is nothing special, "**foo" is also in "barfoo").
 */
type PatternForm =
	| { readonly kind: "exact"; readonly path: string }
	| { readonly kind: "prefix"; readonly prefix: string }
	/** The path ends in this; one that starts with "/" may also be the whole path without that "/". */
	| { readonly kind: "suffix"; readonly suffix: string }
	/** An RE2 expression, see expression.ts. */
	| { readonly kind: "expression"; readonly source: string };

const BOM = "\uFEFF";

/**
 * The form that patternmatcher's Pattern.compile gives a cleaned pattern, on Linux. One of Windows, where "\"
 * separates and nothing escapes, has been given "/" by ignore-file.ts, and then means the same here.
 *
 * Brackets are not understood at this point. What is in them is translated like the rest, so that
 * "[*]" becomes "[[^/]*]": any number of "[", "^" and "/", and a "]". And "|", "{" and "}" are not
 * escaped (shouldEscape has no bits for characters beyond "?"), so that "a|b*" is "^a|b[^/]*$": all
 * that starts with "a", or has a last name with a "b" in it.
 */
export function patternForm(pattern: string): PatternForm {
	let kind: PatternForm["kind"] = "exact";
	let source = "^";
	const characters = readCharacters(pattern);
	for (let at = 0; at < characters.length; ) {
		const first = at === 0;
		const character = characters[at++] as string;
		if (character === "*" && characters[at] === "*") {
			at += characters[at + 1] === "/" ? 2 : 1;
			const last = at === characters.length;
			source += last ? ".*" : "(.*/)?";
			if (first) kind = "suffix";
			else kind = last && kind === "exact" ? "prefix" : "expression";
		} else if (character === "*" || character === "?") {
			source += character === "*" ? "[^/]*" : "[^/]";
			kind = "expression";
		} else if (character === "[" || character === "]") {
			source += character;
			kind = "expression";
		} else if (character === "\\" && at < characters.length) {
			source += `\\${characters[at++]}`;
			kind = "expression";
		} else {
			source += ".+()$".includes(character) ? `\\${character}` : character;
		}
	}
	switch (kind) {
		case "exact":
			return { kind, path: pattern };
		case "prefix":
			return { kind, prefix: pattern.slice(0, -2) };
		case "suffix":
			return { kind, suffix: withoutTwoBytes(pattern) };
		case "expression":
			return { kind, source: `${source}$` };
	}
}

/** As Go's text/scanner reads them: passing over a BOM, and with U+FFFD for an invalid byte. */
function readCharacters(pattern: string): string[] {
	const text = pattern.startsWith(BOM) ? pattern.slice(1) : pattern;
	return Array.from(text.replaceAll(/\p{Surrogate}/gu, "\uFFFD"));
}

/** The "**" at the start is cut off by length, which hits a BOM if there is one. */
function withoutTwoBytes(pattern: string): string {
	return pattern.startsWith(BOM) ? fromBytes(toBytes(pattern).subarray(2)) : pattern.slice(2);
}
