import type { Colors } from "picocolors/types.js";
import type { PlatformNews, WarningEvent } from "../events.js";
import { printableLine, printableName } from "../printable.js";
import { ofPlatform } from "./platform-names.js";
import type { Failure } from "./renderer.js";
import { hangingLines } from "./rows.js";

/** Of lines that follow. */
const INDENT = 4;

/** What is there to be copied, at the end of a hint: a line break within it would run half of it. */
const COMMAND = /: ((?:rbuild|docker|ssh|ssh-[a-z]+|sudo|chmod|unset|export|openssl|echo) .*)$/;

/**
 * What people see of a failure; the message comes last, where the eye is.
 * @param width of a line of message or hint, in cells
 */
export function failureLines(failure: Failure, colors: Colors, width: number): string[] {
	const red = (text: string) => colors.bold(colors.red(text));
	return [
		...blocks([logTail(failure.logTail ?? []), excerpt(failure.position, colors)], colors),
		...wrapped("error:", red, printableName(failure.message).split(" "), width),
		...hintLines(failure.hint, colors, width),
	];
}

/** @param width of a line, in cells */
export function warningLines(
	event: PlatformNews & Pick<WarningEvent, "message" | "hint">,
	colors: Colors,
	width: number,
): string[] {
	const words = ofPlatform(event, printableName(event.message)).split(" ");
	return [
		...wrapped("warning:", colors.yellow, words, width),
		...hintLines(event.hint, colors, width),
	];
}

function hintLines(hint: string | undefined, colors: Colors, width: number): string[] {
	if (!hint) return [];
	return hint
		.split("\n")
		.flatMap((line) => wrapped("hint:", colors.cyan, wordsOf(printableLine(line)), width));
}

/** A command is one of them. */
function wordsOf(line: string): string[] {
	const command = COMMAND.exec(line)?.[1];
	if (command === undefined) return line.split(" ");
	return [...line.slice(0, -command.length - 1).split(" "), command];
}

function wrapped(
	label: string,
	paint: (text: string) => string,
	words: readonly string[],
	width: number,
): string[] {
	const [first = "", ...others] = hangingLines(`${label} `, words, { width, indent: INDENT });
	return [paint(label) + first.slice(label.length), ...others];
}

/** Lines below a title. */
interface Block {
	readonly title: string;
	readonly lines: readonly string[];
}

function blocks(given: readonly (Block | undefined)[], colors: Colors): string[] {
	const shown = given.filter((block) => block !== undefined);
	if (shown.length === 0) return [];
	const lines = shown.flatMap(({ title, lines }) => [colors.dim(`------ ${title}`), ...lines]);
	return [...lines, colors.dim("------")];
}

function logTail(tail: readonly string[]): Block | undefined {
	if (tail.length === 0) return undefined;
	const title = tail.length === 1 ? "last line of output" : `last ${tail.length} lines of output`;
	return { title, lines: tail.map((line) => ` > ${printableLine(line)}`) };
}

/** As docker shows what failed of a Dockerfile. */
function excerpt(position: Failure["position"], colors: Colors): Block | undefined {
	if (position === undefined) return undefined;
	const { file, line: first, endLine, excerpt } = position;
	const lines = excerpt.map(({ line, text }) => {
		const isMeant = line >= first && line <= endLine;
		const number = String(line).padStart(4);
		const shown = `${number} | ${isMeant ? ">>>" : "   "} ${printableLine(text)}`.trimEnd();
		return isMeant ? shown : colors.dim(shown);
	});
	const hidden = endLine - Math.max(...excerpt.map(({ line }) => line));
	const more = hidden > 0 ? [`     | >>> ... ${hidden} more`] : [];
	return { title: `${printableName(file)}:${first}`, lines: [...lines, ...more] };
}
