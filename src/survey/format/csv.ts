import { printablePath } from "../../context/tree/path-bytes.js";
import type { IgnoredPath, SentPath } from "../context-document.js";
import type { Surveyed } from "./formats.js";

const HEADER = "path,type,bytes,files,verdict,rule,needed by";

/** RFC 4180: one row for each path, what would be sent first. */
export function* formatCsv({ head, files, ignored }: Surveyed): Generator<string, void> {
	const rule = (index: number | undefined) =>
		index === undefined ? "" : `${head.ignoreFile}:${head.rules[index]?.line}`;
	const takers = ({ neededBy }: SentPath) =>
		(neededBy ?? [])
			.map((index) => `${head.dockerfile}:${head.needs?.instructions[index]?.line}`)
			.join(" ");
	yield `${HEADER}\r\n`;
	for (const file of files) {
		const count = file.type === "directory" ? 0 : 1;
		yield row([...common(file), count, "sent", rule(file.rule), takers(file)]);
	}
	for (const path of ignored) {
		yield row([...common(path), path.files, "ignored", rule(path.rule), ""]);
	}
}

function common({ path, type, size }: SentPath | IgnoredPath): [string, string, number] {
	return [harmless(printablePath(path)), type, size];
}

/** A spreadsheet would run what starts like a formula. The path stays the same with this before it. */
function harmless(path: string): string {
	return /^[=+\-@]/.test(path) ? `./${path}` : path;
}

function row(cells: readonly (string | number)[]): string {
	return `${cells.map(cell).join(",")}\r\n`;
}

function cell(value: string | number): string {
	const text = String(value);
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
