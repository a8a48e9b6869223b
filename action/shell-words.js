/**
 * Words as a POSIX shell splits them, with its quotes and backslashes, and nothing else of a shell: no
 * variables, no commands.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function shellWords(text) {
	const words = [];
	let word;
	const parts = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|(\s+)|([^\s'"\\]+)|(.)/gs;
	for (const [, single, double, escaped, blank, plain, rest] of text.matchAll(parts)) {
		if (rest !== undefined) throw new Error(`args: a quote or a backslash is left open: ${text}`);
		if (blank !== undefined) {
			if (word !== undefined) words.push(word);
			word = undefined;
			continue;
		}
		const inDouble = double?.replace(/\\(["\\$`])/g, "$1");
		word = (word ?? "") + (single ?? inDouble ?? escaped ?? plain);
	}
	if (word !== undefined) words.push(word);
	return words;
}
