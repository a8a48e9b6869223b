/**
 * Whether Go's filepath.Match(pattern, ".") takes the pattern, which is how patternmatcher.New looks
 * for syntax errors. Match reads a pattern in parts that each end before a "*" outside of brackets, and
 * stops at the first part that the name does not satisfy. So the first part is always checked, the
 * second one only if the first is satisfied by ".", and never a third: "a[" is an error, "a*[" is not
 * (yet: see the expression it becomes).
 */
export function isWellFormed(pattern: string): boolean {
	const first = partEnd(pattern, 0);
	const verdict = checkPart(first.text);
	if (verdict !== "takes a dot") return verdict !== "malformed";
	return checkPart(partEnd(pattern, first.end).text) !== "malformed";
}

function partEnd(pattern: string, from: number): { text: string; end: number } {
	let start = from;
	while (pattern[start] === "*") start++;
	let inBrackets = false;
	let end = start;
	for (; end < pattern.length; end++) {
		const character = pattern[end];
		if (character === "\\") end++;
		else if (character === "[") inBrackets = true;
		else if (character === "]") inBrackets = false;
		else if (character === "*" && !inBrackets) break;
	}
	return { text: pattern.slice(start, end), end };
}

/** "takes a dot": the part is one term, and that matches ".". */
function checkPart(part: string): "malformed" | "takes a dot" | "well-formed" {
	let terms = 0;
	let dots = 0;
	for (let at = 0; at < part.length; terms++) {
		switch (part[at]) {
			case "[": {
				const brackets = readBrackets(part, at + 1);
				if (brackets === undefined) return "malformed";
				if (brackets.takesDot) dots++;
				at = brackets.end;
				break;
			}
			case "?":
				dots++;
				at += 1;
				break;
			case "\\":
				if (at + 1 === part.length) return "malformed";
				if (part[at + 1] === ".") dots++;
				at += 2;
				break;
			default:
				if (part[at] === ".") dots++;
				at += 1;
		}
	}
	return terms === 1 && dots === 1 ? "takes a dot" : "well-formed";
}

interface Brackets {
	readonly takesDot: boolean;
	readonly end: number;
}

/** Reads `[^]lo-hi...]` from after its "[": at least one range, none of which starts with "-" or "]". */
function readBrackets(part: string, from: number): Brackets | undefined {
	const inverted = part[from] === "^";
	let at = inverted ? from + 1 : from;
	let includesDot = false;
	for (let ranges = 0; ranges === 0 || part[at] !== "]"; ranges++) {
		const low = readBound(part, at);
		if (low === undefined) return undefined;
		at = low.end;
		let high = low;
		if (part[at] === "-") {
			const bound = readBound(part, at + 1);
			if (bound === undefined) return undefined;
			high = bound;
			at = high.end;
		}
		if (low.character <= DOT && DOT <= high.character) includesDot = true;
	}
	return { takesDot: includesDot !== inverted, end: at + 1 };
}

const DOT = 0x2e;
const LONE_SURROGATE = /^\p{Surrogate}$/u;

/** One end of a range. Something has to follow it, and it may not be an invalid byte. */
function readBound(part: string, from: number): { character: number; end: number } | undefined {
	if (part[from] === "-" || part[from] === "]") return undefined;
	const at = part[from] === "\\" ? from + 1 : from;
	const character = part.codePointAt(at);
	if (character === undefined) return undefined;
	const text = String.fromCodePoint(character);
	const end = at + text.length;
	if (end === part.length || LONE_SURROGATE.test(text)) return undefined;
	return { character, end };
}
