/** A line of ssh_config that says something. */
interface ConfigLine {
	/** In lower case. */
	readonly keyword: string;
	readonly args: readonly string[];
	/** All that stands behind the keyword, for those whose argument is a command. */
	readonly rest: string;
}

/**
 * Takes a line apart as OpenSSH 9 does (process_config_line in readconf.c, argv_split in misc.c):
 * `Keyword argument "quoted argument" # comment`, or `Keyword=argument`.
 * @returns undefined for an empty line and a comment; a text that says what is wrong with it
 */
export function splitConfigLine(line: string): ConfigLine | string | undefined {
	const text = line.replace(/[ \t\r\n\f]+$/, "");
	const [matched, word] = /^[ \t\r]*(?:([^ \t\r="]+)[ \t\r]*=?[ \t\r]*)?/.exec(text) ?? [""];
	if (word === undefined) return text === "" ? undefined : `no keyword in "${text.trim()}"`;
	if (word.startsWith("#")) return undefined;
	const rest = text.slice(matched.length);
	if (rest === "") return `no argument after keyword "${word}"`;
	const args = splitArguments(rest);
	return args === undefined ? "invalid quotes" : { keyword: word.toLowerCase(), args, rest };
}

/** @returns undefined where a quote is not closed. */
function splitArguments(text: string): string[] | undefined {
	const args: string[] = [];
	let arg: string | undefined;
	let quote = "";
	for (let index = 0; index < text.length; index++) {
		const char = text.charAt(index);
		const blank = char === " " || char === "\t";
		if (arg === undefined) {
			if (blank) continue;
			if (char === "#") break;
			arg = "";
		}
		if (char === "\\" && escapes(text.charAt(index + 1), quote)) {
			arg += text.charAt(++index);
		} else if (quote === "" && blank) {
			args.push(arg);
			arg = undefined;
		} else if (quote === "" && (char === '"' || char === "'")) {
			quote = char;
		} else if (quote !== "" && char === quote) {
			quote = "";
		} else {
			arg += char;
		}
	}
	if (quote !== "") return undefined;
	if (arg !== undefined) args.push(arg);
	return args;
}

function escapes(next: string, quote: string): boolean {
	return next === '"' || next === "'" || next === "\\" || (quote === "" && next === " ");
}
