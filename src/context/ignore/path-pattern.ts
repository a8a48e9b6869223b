import { toBytes } from "../tree/path-bytes.js";
import { Automaton } from "./automaton.js";
import { type Expression, type FixedText, readExpression } from "./expression.js";
import { patternForm } from "./pattern-form.js";

/** What a rule matches: by a name that can be looked up, or by a test of the path. */
export type PathPattern =
	| { readonly by: "path"; readonly path: string }
	/** The path's last name. */
	| { readonly by: "name"; readonly name: string }
	| { readonly by: "test"; readonly fits: (path: string) => boolean };

/** The error for a pattern that Go's regexp/syntax does not take. */
type Refusal = (cause: SyntaxError) => Error;

/**
 * A cleaned pattern, made ready for many paths. What only its expression shows to be broken ("[b-a]")
 * is refused when a path is tried, as in Go: a rule that is never tried does no harm.
 */
export function pathPattern(pattern: string, refusal: Refusal): PathPattern {
	const form = patternForm(pattern);
	switch (form.kind) {
		case "exact":
			return { by: "path", path: form.path };
		case "prefix":
			return { by: "test", fits: prefixTest(form.prefix) };
		case "suffix":
			return suffixPattern(form.suffix);
		case "expression":
			return { by: "test", fits: expressionTest(form.source, refusal) };
	}
}

function suffixPattern(suffix: string): PathPattern {
	if (suffix.lastIndexOf("/") === 0) return { by: "name", name: suffix.slice(1) };
	const endsInIt = suffixTest(suffix);
	if (!suffix.startsWith("/")) return { by: "test", fits: endsInIt };
	const whole = suffix.slice(1);
	return { by: "test", fits: (path) => path === whole || endsInIt(path) };
}

const ESCAPED_BYTE_FIRST = /^[\udc80-\udcff]/;
const ESCAPED_BYTE_LAST = /(?<![\ud800-\udbff])[\udc80-\udcff]$/;

/**
 * Go compares bytes. In a pattern that starts or ends amid a character, those bytes are invalid and
 * stand as lone surrogates, while in the path they may be part of a valid character.
 */
function prefixTest(prefix: string): (path: string) => boolean {
	if (!ESCAPED_BYTE_LAST.test(prefix)) return (path) => path.startsWith(prefix);
	const bytes = toBytes(prefix);
	return (path) => toBytes(path).subarray(0, bytes.length).equals(bytes);
}

function suffixTest(suffix: string): (path: string) => boolean {
	if (!ESCAPED_BYTE_FIRST.test(suffix)) return (path) => path.endsWith(suffix);
	const bytes = toBytes(suffix);
	return (path) => {
		const tail = toBytes(path);
		return tail.subarray(Math.max(0, tail.length - bytes.length)).equals(bytes);
	};
}

/**
 * Reads the expression at the first path, and runs it only on paths with the right text in them. Until
 * then its steps are not kept: they take far more memory than the pattern, and most never run.
 */
function expressionTest(source: string, refusal: Refusal): (path: string) => boolean {
	let fixed: FixedText | undefined;
	let automaton: Automaton | undefined;
	return (path) => {
		fixed ??= readOrRefuse(source, refusal).fixed;
		const { head, tail, core } = fixed;
		if (!path.startsWith(head) || !path.endsWith(tail) || !path.includes(core)) return false;
		automaton ??= new Automaton(readExpression(source).alternatives);
		return automaton.accepts(path);
	};
}

function readOrRefuse(source: string, refusal: Refusal): Expression {
	try {
		return readExpression(source);
	} catch (error) {
		throw error instanceof SyntaxError ? refusal(error) : error;
	}
}
