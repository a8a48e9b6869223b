import { trimSpace } from "../../trim-space.js";
import { type Directive, directivesOf } from "./directives.js";
import { DockerfileParser } from "./dockerfile-parser.js";
import { heredocOf, instructionLines } from "./instruction-lines.js";
import { DockerfileSyntaxError } from "./syntax-error.js";

/** An instruction, taken apart as BuildKit does (frontend/dockerfile/parser), with nothing filled in. */
export interface Instruction {
	/** Where it begins in the Dockerfile, both counted from 1. */
	readonly line: number;
	readonly column: number;
	/** On one line. */
	readonly text: string;
	/** In capitals. */
	readonly keyword: string;
	/** Those at its beginning, such as "--from=build". */
	readonly flags: readonly string[];
	/** What comes after them. */
	readonly operands: string;
}

export interface ReadDockerfile {
	/** "\" or "`". */
	readonly escapeMark: string;
	readonly instructions: readonly Instruction[];
}

/** @throws DockerfileSyntaxError */
export function readDockerfile(content: string): ReadDockerfile {
	const text = content.replace(/^\uFEFF/, "");
	// Builders do not see the difference, and dockerfile-ast has its own idea of some "\r".
	const lines = text.split("\n").map((line) => line.replace(/\r+$/, ""));
	const escapeMark = escapeMarkOf(lines);
	const parsed = DockerfileParser.parse(lines.join("\n")).getInstructions();
	const instructions = instructionLines(lines, parsed, escapeMark).map(({ text, ...place }) =>
		readInstruction(text, place, escapeMark),
	);
	return { escapeMark, instructions };
}

/** Takes an instruction apart, which is on one line, as the trigger of an ONBUILD is, too. */
export function readInstruction(
	text: string,
	{ line, column }: Pick<Instruction, "line" | "column">,
	escapeMark: string,
): Instruction {
	const { keyword, rest } = splitKeyword(text);
	if (!KEYWORDS.has(keyword)) {
		throw new DockerfileSyntaxError(line, column, `unknown instruction ${keyword.slice(0, 40)}`);
	}
	return { line, column, text: text.trim(), keyword, ...splitFlags(trimSpace(rest), escapeMark) };
}

function splitKeyword(text: string): { readonly keyword: string; readonly rest: string } {
	const [, keyword = "", rest = ""] = /^(\S*)\s*([\s\S]*)$/.exec(text.trim()) ?? [];
	return { keyword: keyword.toUpperCase(), rest };
}

const KEYWORDS: ReadonlySet<string> = new Set(
	(
		"ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL " +
		"STOPSIGNAL USER VOLUME WORKDIR"
	).split(" "),
);

/** extractBuilderFlags in split_command.go: quotes and escapes are gone afterwards. */
function splitFlags(rest: string, escapeMark: string): Pick<Instruction, "flags" | "operands"> {
	const flags: string[] = [];
	let at = 0;
	for (;;) {
		while (/\s/.test(rest[at] ?? "")) at++;
		if (!rest.startsWith("--", at)) return { flags, operands: trimSpace(rest.slice(at)) };
		let flag = "";
		let quote: string | undefined;
		for (; at < rest.length; at++) {
			const character = rest[at] as string;
			if (quote === undefined && /\s/.test(character)) break;
			if (quote === undefined && /["']/.test(character)) quote = character;
			else if (character === quote) quote = undefined;
			else if (character !== escapeMark) flag += character;
			else flag += rest[++at] ?? "";
		}
		if (flag === "--") return { flags, operands: trimSpace(rest.slice(at)) };
		flags.push(flag);
	}
}

/**
 * The operands of an instruction that takes a JSON array or words: without quotes that could hold blanks
 * together.
 *
 * @throws DockerfileSyntaxError
 */
function operandsOf({ operands, line, column }: Instruction): readonly string[] {
	if (operands.startsWith("[")) {
		const list = parseJson(operands);
		if (Array.isArray(list)) {
			if (list.every((one) => typeof one === "string")) return list;
			throw new DockerfileSyntaxError(line, column, "not all of the array are strings");
		}
	}
	return wordsOf(operands);
}

/** What is between blanks, whatever quotes say. */
export function wordsOf(text: string): readonly string[] {
	return text.split(/[\t\v\f\r\n ]+/).filter((word) => word !== "");
}

/** Those of COPY or ADD that are files: the last operand is where they go, here-documents bring their own. */
export function sourcesOf(instruction: Instruction): readonly string[] {
	const operands = operandsOf(instruction);
	if (operands.length < 2) {
		throw new DockerfileSyntaxError(
			instruction.line,
			instruction.column,
			`${instruction.keyword} needs two operands`,
		);
	}
	return operands.slice(0, -1).filter((word) => heredocOf(word) === undefined);
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** The flag's values, one for each time it is given; "" where it has none. */
export function flagValues({ flags }: Instruction, name: string): readonly string[] {
	return flags.flatMap((flag) => {
		if (flag === `--${name}`) return "";
		return flag.startsWith(`--${name}=`) ? flag.slice(name.length + 3) : [];
	});
}

/** Of a flag that takes no value, or "true" or "false". */
export function isFlagged(instruction: Instruction, name: string): boolean {
	return flagValues(instruction, name).some((value) => /^(?:true)?$/i.test(value));
}

/** @throws DockerfileSyntaxError */
function escapeMarkOf(lines: readonly string[]): string {
	const seen = new Map<Directive["name"], string>();
	for (const { name, value, line } of directivesOf(lines.map((one) => one.trimStart()))) {
		if (seen.has(name) || (name === "escape" && !/^[\\`]$/.test(value))) {
			throw new DockerfileSyntaxError(line, 1, `this ${name} directive is not understood`);
		}
		seen.set(name, value);
	}
	return seen.get("escape") ?? "\\";
}
