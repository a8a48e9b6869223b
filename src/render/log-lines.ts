import { printableLine } from "../printable.js";

/** A line that grows beyond this many UTF-16 units is passed on in parts. */
const LONGEST_LINE = 64 * 1024;

/**
 * The output of one step, cut into lines. What a carriage return would overwrite on a terminal is
 * dropped, so a progress meter is one line with its last state.
 */
export class LogLines {
	#partial = "";

	/** The lines that this piece of output completes, printable. */
	push(text: string): string[] {
		const end = text.lastIndexOf("\n");
		if (end < 0) return this.#hold(text);
		const lines = (this.#partial + text.slice(0, end)).split("\n").map(lastState);
		this.#partial = "";
		lines.push(...this.#hold(text.slice(end + 1)));
		return lines;
	}

	/** The line that has begun and not ended, printable. */
	get partial(): string {
		return lastState(this.#partial);
	}

	/** The step is over: the line that was begun, if any. */
	end(): string[] {
		const rest = this.partial;
		this.#partial = "";
		return rest === "" ? [] : [rest];
	}

	#hold(text: string): string[] {
		this.#partial += text;
		if (text.includes("\r")) this.#partial = this.#partial.slice(overwritten(this.#partial));
		return this.#partial.length > LONGEST_LINE ? this.end() : [];
	}
}

function lastState(line: string): string {
	return printableLine(line.slice(overwritten(line)));
}

/** Where the text begins that is still seen. Carriage returns at the end have overwritten nothing yet. */
function overwritten(line: string): number {
	let end = line.length;
	while (line[end - 1] === "\r") end--;
	return end === 0 ? 0 : line.lastIndexOf("\r", end - 1) + 1;
}
