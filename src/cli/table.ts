import { displayWidth } from "../render/display-width.js";

/** Columns of text, each as wide as its widest cell, for the standard output. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const all = [head, ...rows];
	const widths = head.map((_, column) =>
		Math.max(...all.map((row) => displayWidth(row[column] ?? ""))),
	);
	const line = (row: readonly string[]) =>
		row
			.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell)))
			.join("   ")
			.trimEnd();
	return `${all.map(line).join("\n")}\n`;
}
