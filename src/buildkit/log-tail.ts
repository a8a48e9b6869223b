import { withoutControls } from "../printable.js";

/** What is kept of a step's output for the report of its failure. */
const LINES = 15;

/** Longer lines keep their beginning, in UTF-16 units. */
const LINE_LENGTH = 500;

/** Raw text kept of the line that is not complete yet; escape sequences are taken out later. */
const PENDING_LENGTH = 4 * LINE_LENGTH;

/** The last lines of a step's output, as plain text, in bounded memory. */
export class LogTail {
	#lines: string[] = [];
	#pending = "";

	push(text: string): void {
		const pieces = text.split("\n");
		const last = pieces.pop() ?? "";
		// All but the last lines of a big piece would be thrown away at once.
		for (const piece of pieces.slice(-LINES - 1)) {
			this.#lines.push(plainLine(this.#pending + piece));
			this.#pending = "";
		}
		this.#lines = this.#lines.slice(-LINES);
		this.#pending = (this.#pending + last).slice(-PENDING_LENGTH);
	}

	/** Without empty lines at the end. */
	get lines(): readonly string[] {
		const lines = [...this.#lines, plainLine(this.#pending)];
		while (lines.at(-1) === "") lines.pop();
		return lines.slice(-LINES);
	}
}

/** A line as a terminal would leave it: a carriage return starts it over, as progress bars do. */
function plainLine(raw: string): string {
	const shown = raw.replace(/\r+$/, "").split("\r").at(-1) ?? "";
	return withoutControls(shown).slice(0, LINE_LENGTH).trimEnd();
}
