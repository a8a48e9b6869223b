import type { Instruction } from "dockerfile-ast";
import { DockerfileSyntaxError } from "./syntax-error.js";

/** An instruction as one line, the continued ones joined. */
interface InstructionLine {
	/** Where it begins in the Dockerfile, both counted from 1. */
	readonly line: number;
	readonly column: number;
	/** Joined, without what follows it as a here-document. */
	readonly text: string;
}

/**
 * Joins continued lines as BuildKit does (frontend/dockerfile/parser/parser.go). What dockerfile-ast
 * takes for one instruction has to be one for BuildKit, too, or the Dockerfile counts as not understood:
 * they differ about `\\` at the end of a line and quoted names of here-documents, among others.
 *
 * @param escapeMark the escape character
 * @throws DockerfileSyntaxError
 */
export function instructionLines(
	lines: readonly string[],
	instructions: readonly Instruction[],
	escapeMark: string,
): readonly InstructionLine[] {
	let next = 0;
	const joined = instructions.map((instruction) => {
		const { start, end } = instruction.getRange();
		for (; next < start.line; next++) {
			if (!isSkipped(lines[next] ?? "")) throw differs(next, escapeMark);
		}
		const { text, length } = joinLines(lines, start.line, escapeMark);
		next = end.line + 1;
		if (next !== endOfHeredocs(lines, start.line + length, text))
			throw differs(start.line, escapeMark);
		return { line: start.line + 1, column: start.character + 1, text };
	});
	for (; next < lines.length; next++) {
		if (!isSkipped(lines[next] ?? "")) throw differs(next, escapeMark);
	}
	return joined;
}

function isSkipped(line: string): boolean {
	return /^\s*(?:#.*)?$/.test(line);
}

/** @returns how many lines were joined, with blank ones and comments between them */
function joinLines(
	lines: readonly string[],
	start: number,
	escapeMark: string,
): { readonly text: string; readonly length: number } {
	const mark = escapeMark === "`" ? "`" : "\\\\";
	const continued = new RegExp(`(^|[^${mark}])${mark}[ \\t]*$`);
	let text = "";
	let at = start;
	for (; at < lines.length; at++) {
		const line = lines[at] ?? "";
		if (at > start && isSkipped(line)) continue;
		if (!continued.test(line)) {
			at++;
			text += line;
			break;
		}
		text += line.replace(continued, "$1");
	}
	return { text: text.trimStart(), length: trimmedEnd(lines, start, at) - start };
}

/** An instruction that is continued to the end of the file has ended with its last line that says anything. */
function trimmedEnd(lines: readonly string[], start: number, end: number): number {
	let last = end;
	while (last > start + 1 && isSkipped(lines[last - 1] ?? "")) last--;
	return last;
}

const HEREDOC_WORD = /^\d*<<(-?)\s*([^<]*)$/;
const WITH_HEREDOC = /^(?:ONBUILD\s+)?(?:ADD|COPY|RUN)\s/i;

/** Whether a source of COPY is what follows in the Dockerfile. */
export function heredocOf(
	word: string,
): { readonly name: string; readonly chomps: boolean } | undefined {
	const [, dash, name = ""] = HEREDOC_WORD.exec(word) ?? [];
	if (name === "") return undefined;
	return { name: name.replace(/["'\\]/g, ""), chomps: dash === "-" };
}

/** Behind all here-documents of an instruction, of which there may be none. */
function endOfHeredocs(lines: readonly string[], start: number, text: string): number {
	if (!text.includes("<<") || !WITH_HEREDOC.test(text)) return start;
	const operands = text.replace(/^(?:ONBUILD\s+)?\w+\s+(?:--\S+\s+)*/i, "");
	if (operands.startsWith("[")) return start;
	let next = start;
	for (const word of operands.replace(/<<(-?)\s+/g, "<<$1").split(/\s+/)) {
		const heredoc = heredocOf(word);
		if (heredoc === undefined) continue;
		const end = lines.findIndex((line, at) => {
			const found = heredoc.chomps ? line.replace(/^\t+/, "") : line;
			return at >= next && found === heredoc.name;
		});
		if (end < 0) throw new DockerfileSyntaxError(start, 1, `there is no end of <<${heredoc.name}`);
		next = end + 1;
	}
	return next;
}

function differs(line: number, escapeMark: string): DockerfileSyntaxError {
	const column = 1;
	return new DockerfileSyntaxError(
		line + 1,
		column,
		`it is not clear where the instruction ends: look at ${escapeMark} at the end of lines and at <<`,
	);
}
