import type { Colors } from "picocolors/types.js";
import { displayWidth } from "./display-width.js";

/** Wide enough for the longest label, and with it the full image id ends at column 80. */
export const LABEL_WIDTH = 9;

/** Lines of a report behind the label of the first. */
export function labelled(label: string, lines: readonly string[], colors: Colors): string[] {
	return lines.map(
		(line, index) => colors.dim((index === 0 ? label : "").padEnd(LABEL_WIDTH)) + line,
	);
}

/**
 * Parts joined by ", " into lines of that width (a comma at the end included). A part is broken only where
 * it alone is wider, between its words.
 */
export function wrap(parts: readonly string[], width: number): string[] {
	const lines: string[] = [];
	let line = "";
	for (const part of parts) {
		if (line === "") line = part;
		else if (displayWidth(line) + displayWidth(part) + 3 <= width) line += `, ${part}`;
		else {
			lines.push(`${line},`);
			line = part;
		}
	}
	if (line !== "") lines.push(line);
	return lines.flatMap((whole) => hangingLines("", whole.split(" "), { width, indent: 2 }));
}

/** Where lines that follow may begin at the least. */
const LEAST_INDENT = 4;

/**
 * Words behind a start, in lines of that width, both in cells. Those that follow begin at the indent, or
 * further left where a word is too long for that. A word that is longer than a line has one of its own and
 * is left to the terminal, so that it can be copied.
 */
export function hangingLines(
	start: string,
	words: readonly string[],
	{ width, indent }: { readonly width: number; readonly indent: number },
): string[] {
	if (width === Number.POSITIVE_INFINITY) return [start + words.join(" ")];
	const fits = words.every((word) => indent + displayWidth(word) <= width);
	const margin = " ".repeat(fits ? indent : Math.min(indent, LEAST_INDENT));
	const lines: string[] = [];
	let line = start;
	for (const word of words) {
		const longer = line === start || line === margin ? line + word : `${line} ${word}`;
		if (displayWidth(longer) <= width || line.trim() === "") line = longer;
		else {
			lines.push(line.trimEnd());
			line = margin + word.trimStart();
		}
	}
	return [...lines, line.trimEnd()];
}
