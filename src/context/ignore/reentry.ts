/** What is known of a negation when it has to be decided whether an ignored directory is entered. */
export interface Reentry {
	/** The pattern without "/**" and then without "/*" at its end. */
	readonly stem: string;
	/** Whether wildcards are left in the stem. */
	readonly wild: boolean;
	/** Whatever the pattern matches starts with this, if "/" is put behind it. */
	readonly head: string;
}

const WILDCARDS = /[*[\]?^\\]/;

/** From here on a pattern may match other text than its own; see pattern-form.ts for the odd ones. */
const NOT_LITERAL = /[*[\]?^\\\uFEFF\uFFFD\p{Surrogate}]|^.*?[{|]/su;

export function reentryOf(pattern: string): Reentry {
	const stem = pattern.replace(/\/\*\*$/, "").replace(/\/\*$/, "");
	const literal = pattern.search(NOT_LITERAL);
	return {
		stem,
		wild: WILDCARDS.test(stem),
		head: literal < 0 ? `${pattern}/` : pattern.slice(0, literal),
	};
}

/** For a path that is kept as it is, whatever characters are in its name. */
export function reentryOfPath(path: string): Reentry {
	return { stem: path, wild: false, head: `${path}/` };
}

/**
 * Whether fsutil's filter.go, in BuildKit's client, enters an ignored directory: for a negation whose
 * stem is below, or always as soon as one negation is wild. That is not only about speed: "!a/*" +
 * "/**" has the stem "a", so that "a/b" is not entered, and nothing below it is sent, although the
 * pattern matches it.
 */
export function entersForStem(negation: Reentry, directory: string): boolean {
	return `${negation.stem}/`.startsWith(`${directory}/`);
}

/** Whether the negation may match something below the directory. */
export function mayMatchBelow(negation: Reentry, directory: string): boolean {
	const below = `${directory}/`;
	return negation.head.startsWith(below) || below.startsWith(negation.head);
}
