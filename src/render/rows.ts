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

/** Parts joined by ", " into lines of that width (a comma at the end included); a part is never broken. */
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
	return line === "" ? lines : [...lines, line];
}

/** Words in lines of that width; a word that is longer has a line of its own. */
export function wrapWords(text: string, width: number): string[] {
	const lines: string[] = [];
	for (const word of text.split(" ")) {
		const line = lines.at(-1);
		if (line === undefined || displayWidth(line) + 1 + displayWidth(word) > width) lines.push(word);
		else lines[lines.length - 1] = `${line} ${word}`;
	}
	return lines;
}
