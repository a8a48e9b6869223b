import { unicodeClass } from "./unicode-class.js";

/** Whether a character, given by its code point, fits. */
export type CharacterTest = (code: number) => boolean;

/** `{least,most}`; without `most`, any number from `least` on. */
export interface Repetition {
	readonly least: number;
	readonly most: number | undefined;
}

/** The classes of Perl, which RE2 has outside and inside of brackets. */
const PERL_CLASSES: Readonly<Record<string, RegExp>> = {
	d: /[0-9]/,
	D: /[^0-9]/,
	s: /[\t\n\f\r ]/,
	S: /[^\t\n\f\r ]/,
	w: /[0-9A-Za-z_]/,
	W: /[^0-9A-Za-z_]/,
};

const C_ESCAPES: Readonly<Record<string, string>> = {
	a: "\x07",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
	v: "\v",
};

/** \0, \012, \x0a, \x{1f600}, or any other character. */
const ESCAPE = /\\(?:(0[0-7]{0,2}|[1-7][0-7]{1,2})|x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]+)\}|(.))/suy;

/** An RE2 expression that is read from left to right. */
export class ExpressionText {
	readonly #source: string;
	#at = 0;

	constructor(source: string) {
		this.#source = source;
	}

	get atEnd(): boolean {
		return this.#at === this.#source.length;
	}

	startsWith(token: string): boolean {
		return this.#source.startsWith(token, this.#at);
	}

	take(token: string): boolean {
		if (!this.startsWith(token)) return false;
		this.#at += token.length;
		return true;
	}

	/** Takes what a sticky expression matches here, which is tried only if `start` is here. */
	takeMatch(start: string, sticky: RegExp): RegExpExecArray | undefined {
		if (!this.startsWith(start)) return undefined;
		sticky.lastIndex = this.#at;
		const match = sticky.exec(this.#source);
		if (match === null) return undefined;
		this.#at += match[0].length;
		return match;
	}

	/** The text before the next \E, which is taken too, or else before the end. */
	takeQuoted(): string {
		const end = this.#source.indexOf("\\E", this.#at);
		const quoted = this.#source.slice(this.#at, end < 0 ? undefined : end);
		this.#at = end < 0 ? this.#source.length : end + 2;
		return quoted;
	}

	/** A "{" that does not start a repetition is an ordinary character. */
	takeRepetition(): Repetition | undefined {
		const match = this.takeMatch("{", /\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/y);
		if (match === undefined) return undefined;
		const [, first, comma, last] = match;
		const least = Number(first);
		const most = comma === undefined ? least : last === undefined ? undefined : Number(last);
		if (Math.max(least, most ?? 0) > 1000 || (most !== undefined && most < least)) {
			throw new SyntaxError(`no such repetition: ${match[0]}`);
		}
		return { least, most };
	}

	/** The class that \d, \pL and their like name, if one of those is here. */
	takeNamedClass(): CharacterTest | undefined {
		const perl = this.takeMatch("\\", /\\([dDsSwW])/y);
		if (perl !== undefined) return inClass(PERL_CLASSES[perl[1] as string] as RegExp, true);
		const unicode = this.takeMatch("\\", /\\([pP])(?:\{([^}]*)\}|(.?))/suy);
		if (unicode === undefined) return undefined;
		const [, letter, longName, shortName] = unicode;
		const [, inverted, name] = /^(\^?)(.*)$/su.exec(longName ?? shortName ?? "") ?? [];
		const characters = unicodeClass(name ?? "");
		if (characters === undefined) throw new SyntaxError("no such Unicode class");
		return inClass(characters, (letter === "p") === (inverted === ""));
	}

	/** One character, which may be written as an escape. */
	takeCharacter(): string {
		const match = this.takeMatch("\\", ESCAPE);
		if (match !== undefined) {
			const [, octal, shortHex, longHex, character] = match;
			if (character !== undefined) return escaped(character);
			const hex = shortHex ?? longHex ?? "";
			return numbered(octal === undefined ? Number.parseInt(hex, 16) : Number.parseInt(octal, 8));
		}
		const code = this.#source.codePointAt(this.#at);
		if (code === undefined) throw new SyntaxError("the expression ends too early");
		const character = String.fromCodePoint(code);
		this.#at += character.length;
		return character;
	}
}

function numbered(code: number): string {
	if (code > 0x10ffff) throw new SyntaxError("no such character");
	return String.fromCodePoint(code);
}

function escaped(character: string): string {
	if (/[^0-9A-Za-z\u0080-\u{10FFFF}]/u.test(character)) return character;
	const control = C_ESCAPES[character];
	if (control === undefined) throw new SyntaxError(`no such escape: \\${character}`);
	return control;
}

export function inClass(characters: RegExp, included: boolean): CharacterTest {
	return (code) => characters.test(String.fromCodePoint(code)) === included;
}
