import { type CharacterTest, type ExpressionText, inClass } from "./expression-text.js";

const POSIX_CLASSES: ReadonlyMap<string, RegExp> = new Map([
	["alnum", /[0-9A-Za-z]/],
	["alpha", /[A-Za-z]/],
	["ascii", /\p{ASCII}/u],
	["blank", /[\t ]/],
	["cntrl", /(?=\p{ASCII})\p{Cc}/u],
	["digit", /[0-9]/],
	["graph", /[!-~]/],
	["lower", /[a-z]/],
	["print", /[ -~]/],
	["punct", /[!-/:-@[-`{-~]/],
	["space", /[\t-\r ]/],
	["upper", /[A-Z]/],
	["word", /[0-9A-Za-z_]/],
	["xdigit", /[0-9A-Fa-f]/],
]);

/**
 * Reads a bracket expression as RE2 does, from after its "[" to after its "]". A "]" at the start is
 * an ordinary member, and so is a "-" that has no end of a range after it.
 *
 * @throws SyntaxError if Go would refuse it.
 */
export function readClass(text: ExpressionText): CharacterTest {
	const inverted = text.take("^");
	const members: CharacterTest[] = [];
	do {
		members.push(readPosixClass(text) ?? text.takeNamedClass() ?? readRange(text));
	} while (!text.take("]"));
	return (code) => members.some((accepts) => accepts(code)) !== inverted;
}

function readPosixClass(text: ExpressionText): CharacterTest | undefined {
	const match = text.takeMatch("[:", /\[:(.*?):\]/suy);
	if (match === undefined) return undefined;
	const [, inverted, name] = /^(\^?)(.*)$/su.exec(match[1] as string) ?? [];
	const characters = POSIX_CLASSES.get(name as string);
	if (characters === undefined) throw new SyntaxError(`no such class: ${match[0]}`);
	return inClass(characters, inverted === "");
}

function readRange(text: ExpressionText): CharacterTest {
	const low = codeOf(text.takeCharacter());
	const single = text.startsWith("-]") || !text.take("-");
	const high = single ? low : codeOf(text.takeCharacter());
	if (high < low) throw new SyntaxError("the range is the wrong way round");
	return (code) => low <= code && code <= high;
}

function codeOf(character: string): number {
	return character.codePointAt(0) as number;
}
