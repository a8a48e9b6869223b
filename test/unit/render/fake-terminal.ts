interface Row {
	cells: string[];
	/** The line goes on in the next row. */
	isWrapped: boolean;
}

/**
 * A terminal that knows the sequences of LiveRegion and no others, and characters of one cell. When its width
 * changes it wraps lines anew, as tmux 3.3a does: cells that were cleared one by one still are a part of
 * their line; only clearing the whole of a row ends it, and the line that went on in it.
 */
export class FakeTerminal {
	#columns: number;
	#rows: Row[] = [newRow()];
	#row = 0;
	#column = 0;

	constructor(columns = Number.POSITIVE_INFINITY) {
		this.#columns = columns;
	}

	/** What is to be seen, without the blanks at the ends. */
	get rows(): string[] {
		const rows = this.#rows.map(({ cells }) => cells.join("").trimEnd());
		while (rows.at(-1) === "") rows.pop();
		return rows;
	}

	write(text: string): void {
		// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
		for (const [token] of text.matchAll(/\x1b\[(\??\d*)([A-Za-z])|[^\x1b]/gu)) {
			const [, count = "", command] = /^.\[(\??\d*)([A-Za-z])$/.exec(token) ?? [];
			if (command !== undefined) this.#obey(command, count);
			else if (token === "\r") this.#column = 0;
			else if (token === "\n") this.#down();
			else this.#put(token);
		}
	}

	/** The cursor stays at the character that it is at. */
	resize(columns: number): void {
		this.#columns = columns;
		const rows: Row[] = [];
		const line: string[] = [];
		let cursor: number | undefined;
		let cursorRow = 0;
		for (const [at, { cells, isWrapped }] of this.#rows.entries()) {
			if (at === this.#row) cursor = line.length + this.#column;
			line.push(...cells);
			if (isWrapped) continue;
			if (cursor !== undefined) {
				cursorRow = rows.length + Math.floor(cursor / columns);
				this.#column = cursor % columns;
				cursor = undefined;
			}
			do rows.push({ cells: line.splice(0, columns), isWrapped: line.length > 0 });
			while (line.length > 0);
		}
		this.#rows = rows;
		this.#row = cursorRow;
	}

	#obey(command: string, count: string): void {
		if (command === "A") this.#row = Math.max(0, this.#row - Number(count || 1));
		else if (command === "K" && count === "2") this.#clearRow();
		else if (command === "K") this.#clearToEnd();
		else if (command === "J") {
			this.#rows.splice(this.#row + 1);
			if (this.#column === 0) this.#clearRow();
			else this.#clearToEnd();
		} else if (!"hlm".includes(command)) {
			throw new Error(`the fake terminal does not know ${command}`);
		}
	}

	#put(character: string): void {
		if (this.#column === this.#columns) {
			this.#current.isWrapped = true;
			this.#down();
		}
		const { cells } = this.#current;
		while (cells.length < this.#column) cells.push(" ");
		cells[this.#column] = character;
		this.#column += 1;
	}

	#down(): void {
		this.#row += 1;
		this.#column = 0;
		this.#rows[this.#row] ??= newRow();
	}

	#clearToEnd(): void {
		this.#current.cells.fill(" ", this.#column);
	}

	#clearRow(): void {
		this.#rows[this.#row] = newRow();
		const above = this.#rows[this.#row - 1];
		if (above !== undefined) above.isWrapped = false;
	}

	get #current(): Row {
		return this.#rows[this.#row] as Row;
	}
}

function newRow(): Row {
	return { cells: [], isWrapped: false };
}

/** What a terminal of any width shows after all that was written. */
export function terminalRows(written: string): string[] {
	const terminal = new FakeTerminal();
	terminal.write(written);
	return terminal.rows;
}
