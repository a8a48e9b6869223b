/**
 * What strangers wrote, made safe to show: daemons, servers, registries, Dockerfiles and their steps. Here
 * nothing is worth keeping of what no terminal is to obey. Where a text has to stay what it is, that is
 * escaped instead: printablePath() in context/tree/path-bytes.ts, JSON here, and the names in the page of
 * `rbuild context`, where invisible characters are shown, too (survey/page/browser/names.ts).
 */

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

/** Of these, what JSON leaves as it is; in C1 is the CSI that begins an escape sequence. */
const LEFT_BY_JSON = /[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/** One line without escape sequences and control characters, but for its tabs. */
export function withoutControls(line: string): string {
	return line.replace(ESCAPES, "").replace(CONTROLS, "");
}

/** One line, safe for any terminal or log, with tabs as blanks up to the next multiple of eight. */
export function printableLine(text: string): string {
	return expandTabs(withoutControls(text));
}

/** A text of several lines, each as printableLine() has it. */
export function printableText(text: string): string {
	return text.split("\n").map(printableLine).join("\n");
}

/** The words of a text that goes over several lines, or is indented, with one blank between them; controls stay. */
export function onOneLine(text: string): string {
	return text.replace(/\s+/g, " ").trim();
}

/** A name or a message on one line: line breaks become blanks. */
export function printableName(text: string): string {
	return printableLine(text.trim().replace(/\s*[\r\n]+\s*/g, " "));
}

/** A name that people compare with another: one that hides something is not to look like one that does not. */
export function comparableName(text: string): string {
	return text.replace(CONTROLS, "?").replaceAll("\t", "?");
}

/** JSON that stands for the same, and holds nothing that a terminal obeys. */
export function printableJson(json: string): string {
	return json.replace(
		LEFT_BY_JSON,
		(character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
	);
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
