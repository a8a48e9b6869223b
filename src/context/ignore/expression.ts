import { readClass } from "./character-class.js";
import { type CharacterTest, ExpressionText, type Repetition } from "./expression-text.js";

/** A step of an expression; a path fits if its characters lead along the steps to the end. */
export type ExpressionStep =
	/** One character. `literal` is set if only that one fits. */
	| { readonly kind: "one"; readonly accepts: CharacterTest; readonly literal?: string }
	/** Any number of characters. */
	| { readonly kind: "many"; readonly accepts: CharacterTest }
	/** Goes on at several steps at once, given by their distance from this one. */
	| { readonly kind: "fork"; readonly to: readonly number[] }
	/** No character, but something about the place between two. */
	| { readonly kind: "place"; readonly holds: PlaceTest };

/** What is before and after a place: whether it is in `[0-9A-Za-z_]`; undefined at either end. */
type PlaceTest = (before: boolean | undefined, after: boolean | undefined) => boolean;

export interface Expression {
	/** A path fits if it takes all steps of one of these. */
	readonly alternatives: readonly (readonly ExpressionStep[])[];
	readonly fixed: FixedText;
}

/** What every path that fits starts with, ends with, and contains; these may overlap. */
export interface FixedText {
	readonly head: string;
	readonly tail: string;
	readonly core: string;
}

/** Steps that a repetition applies to together. */
type Part = readonly ExpressionStep[];

const notNewline: CharacterTest = (code) => code !== 0x0a;

const BEGINNING: ExpressionStep = { kind: "place", holds: (before) => before === undefined };
const END: ExpressionStep = { kind: "place", holds: (_, after) => after === undefined };
const ANYTHING: ExpressionStep = { kind: "many", accepts: () => true };

const PLACES: ReadonlyMap<string, ExpressionStep> = new Map([
	["A", BEGINNING],
	["z", END],
	["b", { kind: "place", holds: (before, after) => (before ?? false) !== (after ?? false) }],
	["B", { kind: "place", holds: (before, after) => (before ?? false) === (after ?? false) }],
]);

/** Go refuses what repetitions make too large; this is less than Go allows, and more than enough. */
const MOST_REPEATED_STEPS = 20_000;

/**
 * Reads what patternForm() writes, as Go's regexp/syntax does: all that a backslash can mean there
 * (\d, \pL, \x2f, \b, \Q...) it means in a .dockerignore, too, and so do "|" and "{2}".
 *
 * @throws SyntaxError if Go would refuse the expression
 */
export function readExpression(source: string): Expression {
	const text = new ExpressionText(source);
	let parts: Part[] = [];
	const alternatives = [parts];
	let repeated = false;
	let repeatedSteps = 0;
	while (!text.atEnd) {
		const repetition = text.takeRepetition();
		if (repetition !== undefined) {
			const part = parts.pop();
			if (part === undefined || repeated) throw new SyntaxError("nothing to repeat");
			repeatedSteps += part.length * (repetition.most ?? repetition.least);
			if (repeatedSteps > MOST_REPEATED_STEPS) throw new SyntaxError("too much to repeat");
			parts.push(repeat(part, repetition));
			repeated = true;
		} else if (text.take("|")) {
			parts = [];
			alternatives.push(parts);
			repeated = false;
		} else {
			const token = readToken(text);
			for (const part of token.parts) parts.push(part);
			repeated = token.repeats;
		}
	}
	return {
		alternatives: alternatives.map(search),
		fixed: alternatives.length === 1 ? fixedText(parts) : { head: "", tail: "", core: "" },
	};
}

/** `repeats`: it ends in an operator, after which Go takes no second one. */
function readToken(text: ExpressionText): { readonly parts: Part[]; readonly repeats: boolean } {
	if (text.take("(.*/)?")) {
		const upToSlash: Part = [{ kind: "many", accepts: notNewline }, literal("/")];
		return { parts: [optional(upToSlash)], repeats: true };
	}
	if (text.take(".*")) return { parts: [[{ kind: "many", accepts: notNewline }]], repeats: true };
	if (text.take("[")) {
		const accepts = readClass(text);
		const repeats = text.take("*");
		return { parts: [[{ kind: repeats ? "many" : "one", accepts }]], repeats };
	}
	if (text.take("\\Q")) {
		const quoted = Array.from(text.takeQuoted());
		return { parts: quoted.map((character) => [literal(character)]), repeats: false };
	}
	return { parts: [[readStep(text)]], repeats: false };
}

function readStep(text: ExpressionText): ExpressionStep {
	if (text.take("^")) return BEGINNING;
	if (text.take("$")) return END;
	const place = PLACES.get(text.takeMatch("\\", /\\([AbBz])/y)?.[1] ?? "");
	if (place !== undefined) return place;
	const accepts = text.takeNamedClass();
	return accepts === undefined ? literal(text.takeCharacter()) : { kind: "one", accepts };
}

function literal(character: string): ExpressionStep {
	const code = character.codePointAt(0);
	return { kind: "one", accepts: (other) => other === code, literal: character };
}

function optional(part: Part): Part {
	return [{ kind: "fork", to: [1, part.length + 1] }, ...part];
}

function repeat(part: Part, { least, most }: Repetition): Part {
	const steps = new Array<Part>(least).fill(part).flat();
	if (most !== undefined) {
		return [...steps, ...new Array<Part>(most - least).fill(optional(part)).flat()];
	}
	const enter: ExpressionStep = { kind: "fork", to: [1, part.length + 2] };
	return [...steps, enter, ...part, { kind: "fork", to: [-part.length - 1] }];
}

/** Go looks for the expression anywhere in the path, if nothing ties it to the path's ends. */
function search(parts: readonly Part[]): ExpressionStep[] {
	const steps = parts.flat();
	if (!isOnly(parts[0], BEGINNING)) steps.unshift(ANYTHING);
	if (!isOnly(parts.at(-1), END)) steps.push(ANYTHING);
	return steps;
}

function fixedText(parts: readonly Part[]): FixedText {
	const runs = [""];
	for (const part of parts) {
		const text = plainText(part);
		if (text === undefined) runs.push("");
		else runs.push(`${runs.pop()}${text}`);
	}
	return {
		head: isOnly(parts[0], BEGINNING) ? (runs[1] ?? "") : "",
		tail: isOnly(parts.at(-1), END) ? (runs.at(-2) ?? "") : "",
		core: runs.reduce((longest, run) => (run.length > longest.length ? run : longest)),
	};
}

function isOnly(part: Part | undefined, step: ExpressionStep): boolean {
	return part?.length === 1 && part[0] === step;
}

/** A U+FFFD is not plain: it stands for any invalid byte as well. */
function plainText(part: Part): string | undefined {
	const [step] = part;
	if (part.length !== 1 || step?.kind !== "one" || step.literal === "\uFFFD") return undefined;
	return step.literal;
}
