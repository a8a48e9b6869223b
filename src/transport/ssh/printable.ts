/** One line of what a stranger wrote, safe to show. */
export function printable(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced.
	return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim();
}
