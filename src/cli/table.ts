import { displayWidth } from "../render/display-width.js";
import { hangingLines } from "../render/rows.js";

const GAP = 3;
/** Of the columns that follow below. */
const INDENT = 4;

/** Columns by their index that stand beside each other. */
interface Fold {
	readonly indent: number;
	readonly columns: readonly number[];
}

/**
 * Columns of text, each as wide as its widest cell. Those that do not fit into a line of that many cells
 * stand below the others, indented; a cell that is wider is wrapped between its words.
 */
export function tableOf(
	head: readonly string[],
	rows: readonly (readonly string[])[],
	width: number,
): string {
	const all = [head, ...rows];
	const widths = head.map((_, column) =>
		Math.max(...all.map((row) => displayWidth(row[column] ?? ""))),
	);
	const folds = foldsOf(widths, width);
	const lines = all.flatMap((row) =>
		folds.flatMap(({ indent, columns }, at) => {
			const cells = columns.map((column) => {
				const cell = row[column] ?? "";
				return cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell));
			});
			const text = cells.join(" ".repeat(GAP)).trimEnd();
			if (text === "" && at > 0) return [];
			const start = " ".repeat(indent);
			if (columns.length > 1) return [start + text];
			return hangingLines(start, text.split(" "), { width, indent: INDENT });
		}),
	);
	return `${lines.join("\n")}\n`;
}

function foldsOf(widths: readonly number[], width: number): readonly Fold[] {
	const folds: { indent: number; columns: number[] }[] = [];
	let used = 0;
	for (const [column, cells] of widths.entries()) {
		used += GAP + cells;
		const fold = folds.at(-1);
		if (fold !== undefined && used <= width) fold.columns.push(column);
		else {
			const indent = fold === undefined ? 0 : INDENT;
			folds.push({ indent, columns: [column] });
			used = indent + cells;
		}
	}
	return folds;
}
