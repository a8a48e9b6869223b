import { displayWidth, shortenMiddle } from "../../render/display-width.js";
import { formatBytes, formatFiles } from "../../render/format.js";
import { hangingLines } from "../../render/rows.js";

const MOST_BAR_CELLS = 20;
/** Of shorter ones nobody could tell which is longer. */
const LEAST_BAR_CELLS = 4;
const BYTES_CELLS = 8;
const FILES_CELLS = 14;
/** Names keep this much of a line, even of one that is shorter than what stands before them. */
const LEAST_NAME_CELLS = 12;

/** What a directory, a type, or an instruction weighs. All texts are printable. */
export interface WeightRow {
	readonly bytes: number;
	readonly files: number;
	/** Blanks before the name, of what is in something else. */
	readonly indent?: string;
	/** Shortened in the middle where there is no room for it. */
	readonly name: string;
	/** What is said of it, all of it, on more lines where there is no room for it. */
	readonly note?: string;
}

/** How many cells of a line the columns before the name have. */
interface Columns {
	/** 0: there is none. */
	readonly bar: number;
	readonly files: number;
}

/**
 * A table with a bar for each row. The name comes last, so that it does not matter how wide it is.
 *
 * @param whole the bytes that a full bar stands for
 * @param width of a line, in cells
 */
export function* weightLines(
	rows: Iterable<WeightRow>,
	whole: number,
	width: number,
): Generator<string, void> {
	// There may be millions, which need not be held where nothing has to fit.
	const held = width === Number.POSITIVE_INFINITY ? undefined : [...rows];
	const columns = columnsFor(held ?? [], width);
	for (const row of held ?? rows) {
		const { name, note, indent = "" } = row;
		const start = `${cellsOf(row, whole, columns).join("  ")}  ${indent}`;
		const room = Math.max(LEAST_NAME_CELLS, width - start.length);
		const words = [shortenMiddle(name, room), ...(note?.split(" ") ?? [])];
		yield* hangingLines(start, words, { width, indent: start.length + 2 });
	}
}

/** The bar gives way to what is read. */
function columnsFor(rows: readonly WeightRow[], width: number): Columns {
	let text = 0;
	let files = 0;
	for (const row of rows) {
		const { indent = "", name, note } = row;
		const said = note === undefined ? name : `${name} ${note}`;
		text = Math.max(text, indent.length + displayWidth(said));
		files = Math.max(files, formatFiles(row.files).length);
	}
	const others = "  ".length * 4 + BYTES_CELLS + FILES_CELLS;
	const bar = Math.min(MOST_BAR_CELLS, width - others - text);
	return bar < LEAST_BAR_CELLS ? { bar: 0, files } : { bar, files: FILES_CELLS };
}

function cellsOf({ bytes, files }: WeightRow, whole: number, columns: Columns): string[] {
	const share = whole === 0 ? 0 : Math.round((bytes / whole) * columns.bar);
	const bar = "=".repeat(Math.min(columns.bar, Math.max(0, share))).padEnd(columns.bar);
	return [
		"",
		formatBytes(bytes).padStart(BYTES_CELLS),
		...(columns.bar === 0 ? [] : [bar]),
		formatFiles(files).padStart(columns.files),
	];
}
