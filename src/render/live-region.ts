import { stripVTControlCharacters } from "node:util";
import { cutToWidth, displayWidth } from "./display-width.js";
import type { Screen } from "./screen.js";

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_TO_LINE_END = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** Where the size is not known, as on a serial line. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** A line and the paint for it, which must not change its width. */
export interface LiveLine {
	readonly text: string;
	readonly paint?: (text: string) => string;
}

/**
 * The last lines of a terminal, drawn anew in place, with finished lines moving up out of it into the
 * scrollback. A frame is one write and leaves the cursor shown, below the region: whatever ends the
 * process, the terminal is in order.
 */
export class LiveRegion {
	readonly #screen: Screen;
	#finished: string[] = [];
	/** Widths of the lines on the screen: a terminal that became narrower has wrapped them. */
	#drawn: readonly number[] = [];
	#frame = "";

	constructor(screen: Screen) {
		this.#screen = screen;
	}

	/** Cells that a line may take: the last column stays free, so that no terminal wraps. */
	get width(): number {
		return Math.max(1, this.#columns - 1);
	}

	/** Lines that the region may have. */
	get height(): number {
		return Math.max(1, (this.#screen.rows() || DEFAULT_ROWS) - 1);
	}

	/** Hands a line, coloured or not and of any length, to the scrollback with the next frame. */
	print(line: string): void {
		this.#finished.push(line);
	}

	/** Lines longer than the width are cut, and what is above the height is not drawn. */
	draw(lines: readonly LiveLine[]): void {
		const shown = lines
			.slice(0, this.height)
			.map(({ text, paint = String }) => ({ text: cutToWidth(text, this.width), paint }));
		const frame = shown.map(({ text, paint }) => `${paint(text)}${CLEAR_TO_LINE_END}\n`).join("");
		const home = this.#home();
		if (this.#finished.length === 0 && frame === this.#frame) return;
		const above = this.#finished.map((line) => this.#overwrite(line)).join("");
		this.#screen.stderr.write(`${HIDE_CURSOR}${home}${above}${frame}${CLEAR_BELOW}${SHOW_CURSOR}`);
		this.#finished = [];
		this.#frame = frame;
		this.#drawn = shown.map(({ text }) => displayWidth(text));
	}

	get #columns(): number {
		return this.#screen.columns() || DEFAULT_COLUMNS;
	}

	/**
	 * Overwriting does not flicker as clearing first would. (And tmux keeps what is cleared from the top of
	 * its screen as history.) After a last row that is full, clearing would take away its last cell.
	 */
	#overwrite(line: string): string {
		const width = displayWidth(stripVTControlCharacters(line));
		const full = width > 0 && width % this.#columns === 0;
		return `${line}${full ? "" : CLEAR_TO_LINE_END}\n`;
	}

	/** To the first cell of the region. */
	#home(): string {
		let rows = 0;
		for (const width of this.#drawn) rows += Math.max(1, Math.ceil(width / this.#columns));
		return rows === 0 ? "\r" : `\r\x1b[${rows}A`;
	}
}
