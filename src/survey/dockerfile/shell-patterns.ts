/**
 * The patterns of `${name#pattern}` and its like as BuildKit reads them (convertShellPatternToRegex in
 * frontend/dockerfile/shell/lex.go): "?" and "*" alone are special, and a backslash takes that away.
 */

/** Of several texts that a pattern fits. */
type Length = "shortest" | "longest";

/** `${value#pattern}`, or `##` for the longest. */
export function trimPrefix(value: string, pattern: string, length: Length): string {
	const found = expression(symbolsOf(pattern), length, "^").exec(value);
	return found === null ? value : value.slice(found[0].length);
}

/** `${value%pattern}`, or `%%`: the prefix of it read backwards, which finds the shortest suffix. */
export function trimSuffix(value: string, pattern: string, length: Length): string {
	const backwards = symbolsOf(pattern).reverse();
	const found = expression(backwards, length, "^").exec(reversed(value));
	return found === null ? value : reversed(reversed(value).slice(found[0].length));
}

/** `${value/pattern/replacement}`, or `//` for each. */
export function replacePattern(
	value: string,
	pattern: string,
	replacement: string,
	isEach: boolean,
): string {
	const found = expression(symbolsOf(pattern), "longest", "", isEach ? "g" : "");
	return value.replace(found, () => replacement);
}

/** Characters, and escapes of two. */
function symbolsOf(pattern: string): string[] {
	return pattern.match(/\\.|./gsu) ?? [];
}

function expression(symbols: readonly string[], length: Length, start: string, flags = ""): RegExp {
	const source = symbols.map((symbol) => {
		if (symbol === "*") return length === "longest" ? ".*" : ".*?";
		if (symbol === "?") return ".";
		// These end the substitution, so that they have to be escaped for its sake.
		if (symbol === "\\}" || symbol === "\\/") return `\\${symbol.slice(1)}`;
		if (/^\\[*?\\]$/.test(symbol)) return symbol;
		if (symbol.startsWith("\\")) throw new SyntaxError(`${symbol} is no escape in a pattern`);
		return symbol.replace(/[[\]{}.+()|^$/]/, "\\$&");
	});
	return new RegExp(start + source.join(""), `u${flags}`);
}

function reversed(text: string): string {
	return [...text].reverse().join("");
}
