import { stripVTControlCharacters } from "node:util";
import { cutToWidth, displayWidth } from "../display-width.js";
import type { Screen } from "../screen.js";

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_TO_LINE_END = "\x1b[K";
const CLEAR_LINE = "\x1b[2K";
const CLEAR_BELOW = "\x1b[J";
/** From the line of the cursor on. tmux keeps what is cleared from the top of its screen on as history. */
const CLEAR_FROM_LINE = `${CLEAR_LINE}\n${CLEAR_BELOW}\x1b[A`;

/** In milliseconds. tmux tells no program of a new width more often than each 250 ms. */
const SETTLE_MS = 300;

/** Where the size is not known, as on a serial line. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** A line and the paint for it, which must not change its width. */
export interface LiveLine {
	readonly text: string;
	readonly paint?: (text: string) => string;
}

interface Row {
	readonly text: string;
	/** In cells, without the paint. */
	readonly width: number;
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
	/** Of the terminal when they were drawn. */
	#drawnColumns: number;
	/** Of the terminal when it was last looked at, and since when. */
	#knownColumns: number;
	#knownSince = Number.NEGATIVE_INFINITY;

	constructor(screen: Screen) {
		this.#screen = screen;
		this.#drawnColumns = this.#columns;
		this.#knownColumns = this.#columns;
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

	/**
	 * Lines longer than the width are cut, and what is above the height is not drawn. While the terminal is
	 * being resized nothing is, unless there is nothing to draw: it may be narrower than it says.
	 */
	draw(lines: readonly LiveLine[]): void {
		if (this.#isBeingResized() && lines.length > 0) return;
		const shown = lines.slice(0, this.height).map(({ text, paint = String }) => {
			const cut = cutToWidth(text, this.width);
			return { text: paint(cut), width: displayWidth(cut) };
		});
		const frame = shown.map(({ text }) => `${text}\n`).join("");
		if (this.#finished.length === 0 && frame === this.#frame) return;
		const above = this.#finished.map((text) => {
			return { text, width: displayWidth(stripVTControlCharacters(text)) };
		});
		const clear = this.#isOutOfStep(above) ? CLEAR_FROM_LINE : "";
		const before = clear === "" ? this.#drawn : [];
		const rows = [...above, ...shown].map((row, at) => this.#overwrite(row, before[at] ?? 0));
		this.#screen.stderr.write(
			`${HIDE_CURSOR}${this.#home()}${clear}${rows.join("")}${CLEAR_BELOW}${SHOW_CURSOR}`,
		);
		this.#finished = [];
		this.#frame = frame;
		this.#drawn = shown.map(({ width }) => width);
		this.#drawnColumns = this.#columns;
	}

	#isBeingResized(): boolean {
		const now = this.#screen.now();
		if (this.#columns !== this.#knownColumns) {
			this.#knownColumns = this.#columns;
			this.#knownSince = now;
		}
		return this.#drawn.length > 0 && now - this.#knownSince < SETTLE_MS;
	}

	/** Whether a line of what is to be drawn does not come to stand on one of what is there. */
	#isOutOfStep(above: readonly Row[]): boolean {
		if (this.#drawn.length === 0) return false;
		return this.#columns !== this.#drawnColumns || above.some(({ width }) => width > this.#columns);
	}

	get #columns(): number {
		return this.#screen.columns() || DEFAULT_COLUMNS;
	}

	/**
	 * Overwriting does not flicker as clearing first would. But tmux takes cells that were cleared one by one
	 * for a part of the line, and wraps them when it becomes narrower: a line that becomes shorter is cleared
	 * as a whole. After a last row that is full, clearing would take away its last cell.
	 *
	 * @param before cells of what is there
	 */
	#overwrite({ text, width }: Row, before: number): string {
		if (width < before) return `${CLEAR_LINE}${text}\n`;
		const full = width > 0 && width % this.#columns === 0;
		return `${text}${full ? "" : CLEAR_TO_LINE_END}\n`;
	}

	/** To the first cell of the region. */
	#home(): string {
		let rows = 0;
		for (const width of this.#drawn) rows += Math.max(1, Math.ceil(width / this.#columns));
		return rows === 0 ? "\r" : `\r\x1b[${rows}A`;
	}
}
