import { type Instruction, wordsOf } from "./instructions.js";
import { DockerfileSyntaxError } from "./syntax-error.js";

/** A variable and the word it is set to, with nothing filled in. */
type Pair<Word> = readonly [name: string, word: Word];

/** "NAME" or "NAME=VALUE", several of them. @throws DockerfileSyntaxError */
export function argumentsOf(
	instruction: Instruction,
	escapeMark: string,
): readonly Pair<string | undefined>[] {
	return quotedWords(instruction.operands, escapeMark).map((word) => {
		const equals = word.indexOf("=");
		const name = equals < 0 ? word : word.slice(0, equals);
		if (!/^[^"'$\\`]+$/.test(name)) {
			throw new DockerfileSyntaxError(
				instruction.line,
				instruction.column,
				`ARG takes no name ${name}`,
			);
		}
		return [name, equals < 0 ? undefined : word.slice(equals + 1)];
	});
}

/** "NAME=VALUE", several of them, or the old "NAME all of the rest". @throws DockerfileSyntaxError */
export function environmentOf(
	{ operands, line, column }: Instruction,
	escapeMark: string,
): readonly Pair<string>[] {
	const words = quotedWords(operands, escapeMark);
	if (words[0]?.includes("=") === false) {
		const [name = ""] = wordsOf(operands);
		return [[name, operands.slice(name.length).trimStart()]];
	}
	return words.map((word) => {
		const equals = word.indexOf("=");
		if (equals < 0) throw new DockerfileSyntaxError(line, column, `there is no = in ${word}`);
		return [word.slice(0, equals), word.slice(equals + 1)];
	});
}

/** Words as ENV and ARG have them, with their quotes (parseWords in line_parsers.go). */
function quotedWords(text: string, escapeMark: string): readonly string[] {
	const words: string[] = [];
	let word = "";
	let quote: string | undefined;
	for (let at = 0; at < text.length; at++) {
		const character = text[at] as string;
		if (quote === undefined && /\s/.test(character)) {
			if (word !== "") words.push(word);
			word = "";
			continue;
		}
		if (character === escapeMark && quote !== "'") {
			if (at + 1 < text.length) word += character + text[++at];
			continue;
		}
		if (quote === undefined && /["']/.test(character)) quote = character;
		else if (character === quote) quote = undefined;
		word += character;
	}
	return word === "" ? words : [...words, word];
}
