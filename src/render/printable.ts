/**
 * Escape sequences of ECMA-48: control strings (titles, links, clipboard) up to their end, control
 * sequences, and the two-byte escapes; each in its 7-bit and 8-bit form.
 */
const ESCAPES =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
	/(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]?|\x1b[\x20-\x2f]*[\x30-\x7e]?/g;

/** Other controls, and the marks that reverse or break the line that a reader sees (bidi, U+2028, U+2029). */
const CONTROLS =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
	/[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/**
 * One line of foreign text, safe for any terminal or log: no escape sequences, no control characters,
 * tabs as blanks up to the next multiple of eight.
 */
export function printableLine(text: string): string {
	return expandTabs(text.replace(ESCAPES, "").replace(CONTROLS, ""));
}

/** A name on one line: line breaks become blanks. */
export function printableName(text: string): string {
	return printableLine(text.trim().replace(/\s*[\r\n]+\s*/g, " "));
}

function expandTabs(line: string): string {
	if (!line.includes("\t")) return line;
	let expanded = "";
	for (const [index, cell] of line.split("\t").entries()) {
		if (index > 0) expanded += " ".repeat(8 - (expanded.length % 8));
		expanded += cell;
	}
	return expanded;
}
