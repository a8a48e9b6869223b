import { replacePattern, trimPrefix, trimSuffix } from "./shell-patterns.js";

/**
 * The value of a variable; undefined if it is not set.
 *
 * @throws UnresolvableError if that cannot be known
 */
export type Variables = (name: string) => string | undefined;

/** A word whose value is only known where the image is built. */
export class UnresolvableError extends Error {}

/**
 * What a word of a Dockerfile comes to: quotes are taken away and variables filled in, as BuildKit's
 * ProcessWord does (frontend/dockerfile/shell/lex.go).
 *
 * @param escapeMark the Dockerfile's escape character
 * @throws SyntaxError for what BuildKit refuses, UnresolvableError
 */
export function expandWord(word: string, escapeMark: string, variables: Variables): string {
	return new WordReader(word, escapeMark, variables).read();
}

const NAME_START = /[\p{L}_]/u;
const NAME = /[\p{L}\p{Nd}_]/u;
const DIGIT = /\p{Nd}/u;
/** Of a shell, each a name by itself. None is ever set. */
const SPECIAL = "@*#?-$!0";

class WordReader {
	readonly #characters: readonly string[];
	readonly #escape: string;
	readonly #variables: Variables;
	#at = 0;

	constructor(word: string, escapeMark: string, variables: Variables) {
		// A byte order mark, which Go's text/scanner skips there.
		this.#characters = [...word.replace(/^\uFEFF/, "")];
		this.#escape = escapeMark;
		this.#variables = variables;
	}

	read(): string {
		return this.#until(undefined);
	}

	/** @param keepEscapes for a pattern, which has an escape character of its own: the same */
	#until(end: string | undefined, { keepEscapes = false } = {}): string {
		let text = "";
		for (;;) {
			const character = this.#next();
			if (character === end) return text;
			if (character === undefined) throw new SyntaxError(`there is no ${end} at the end`);
			if (character === "'") text += this.#singleQuoted();
			else if (character === '"') text += this.#doubleQuoted({ keepEscapes });
			else if (character === "$") text += this.#variable();
			else if (character === this.#escape) {
				text += (keepEscapes ? character : "") + (this.#next() ?? "");
			} else text += character;
		}
	}

	#singleQuoted(): string {
		const end = this.#characters.indexOf("'", this.#at);
		if (end < 0) throw new SyntaxError("there is no ' at the end");
		const text = this.#characters.slice(this.#at, end).join("");
		this.#at = end + 1;
		return text;
	}

	#doubleQuoted({ keepEscapes }: { readonly keepEscapes: boolean }): string {
		let text = "";
		for (;;) {
			const character = this.#next();
			if (character === '"') return text;
			if (character === undefined) throw new SyntaxError('there is no " at the end');
			if (character === "$") {
				text += this.#variable();
			} else if (character === this.#escape) {
				if (keepEscapes) text += character;
				const escaped = this.#peek();
				if (escaped === undefined) continue;
				text += ['"', "$", this.#escape].includes(escaped) ? this.#next() : character;
			} else text += character;
		}
	}

	/** From after its "$". */
	#variable(): string {
		if (this.#peek() !== "{") {
			const name = this.#name();
			return name === "" ? "$" : (this.#variables(name) ?? "");
		}
		this.#at += 1;
		const name = this.#name();
		if (name === "") throw new SyntaxError("there is no name in the braces of a $");
		const operator = this.#next();
		if (operator === "}") return this.#variables(name) ?? "";
		if (operator === "/") return this.#replaced(name);
		if (operator === "#" || operator === "%") return this.#trimmed(name, operator);
		const emptyIsUnset = operator === ":";
		return this.#chosen(name, emptyIsUnset ? this.#next() : operator, emptyIsUnset);
	}

	#chosen(name: string, operator: string | undefined, emptyIsUnset: boolean): string {
		const word = this.#until("}");
		const value = this.#variables(name);
		const isSet = value !== undefined && !(emptyIsUnset && value === "");
		switch (operator) {
			case "-":
				return isSet ? value : word;
			case "+":
				return isSet ? word : "";
			case "?":
				if (isSet) return value;
				throw new SyntaxError(`${name}: ${word || "it has to be set"}`);
			default:
				throw new SyntaxError(`${name} is followed by ${operator} in \${…}`);
		}
	}

	#trimmed(name: string, operator: "#" | "%"): string {
		const word = this.#until("}", { keepEscapes: true });
		const isLongest = word.startsWith(operator);
		const pattern = isLongest ? word.slice(1) : word;
		const length = isLongest ? "longest" : "shortest";
		const value = this.#variables(name) ?? "";
		return operator === "#"
			? trimPrefix(value, pattern, length)
			: trimSuffix(value, pattern, length);
	}

	#replaced(name: string): string {
		const isEach = this.#peek() === "/";
		if (isEach) this.#at += 1;
		const pattern = this.#until("/", { keepEscapes: true });
		const replacement = this.#until("}", { keepEscapes: true });
		// Go gives "$1" a meaning here, and only here.
		if (isEach && replacement.includes("$")) throw new UnresolvableError(`\${${name}//…}`);
		return replacePattern(this.#variables(name) ?? "", pattern, replacement, isEach);
	}

	/** Digits alone are a name, too. */
	#name(): string {
		const first = this.#peek() ?? "";
		if (DIGIT.test(first)) return this.#while(DIGIT);
		if (first !== "" && SPECIAL.includes(first)) return this.#next() ?? "";
		return NAME_START.test(first) ? this.#while(NAME) : "";
	}

	#while(kind: RegExp): string {
		const start = this.#at;
		while (kind.test(this.#peek() ?? "")) this.#at += 1;
		return this.#characters.slice(start, this.#at).join("");
	}

	#peek(): string | undefined {
		return this.#characters[this.#at];
	}

	#next(): string | undefined {
		return this.#characters[this.#at++];
	}
}
