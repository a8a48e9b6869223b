import { onOneLine } from "../printable.js";

/** Of what is kept where it is too long, in UTF-16 units: what was tried, and the last reason, which is the system's own. */
const START = 300;
const END = 200;

/** A web server's page that the daemon got for an answer, and quotes to its end. */
const PAGE = /[\s:"'`]*<(?:!doctype|html)\b.*$/is;

/** What a daemon says as one line of sensible length, without the web page that it may quote. */
export function wordsOnOneLine(words: string): string {
	const whole = onOneLine(words);
	// A page alone says something between its tags.
	const line = whole.replace(PAGE, "") || onOneLine(whole.replace(/<[^>]*>/g, " "));
	if (line.length <= START + END) return line;
	return `${line.slice(0, START)}…${line.slice(-END)}`;
}
