import { fromBytes, toBytes } from "../../context/tree/path-bytes.js";
import type { Advice } from "../context-document.js";

/** What `--fix` makes of an ignore file. */
export interface IgnoreFileFix {
	readonly before: Buffer;
	readonly after: Buffer;
	/** What is new, in the order of the file. */
	readonly added: readonly string[];
}

/**
 * Puts the lines of all advice behind those that are there, which stay as they are, byte for byte: rules
 * further up would have the last word of negations. Undefined where there is nothing to add.
 *
 * @param content of the ignore file that applies; undefined where there is none
 */
export function fixIgnoreFile(
	content: Uint8Array | undefined,
	advice: readonly Pick<Advice, "lines">[],
): IgnoreFileFix | undefined {
	const added = [...new Set(advice.flatMap(({ lines }) => lines))];
	if (added.length === 0) return undefined;
	const before = Buffer.from(content ?? []);
	const lineEnd = before.includes("\r\n") ? "\r\n" : "\n";
	const isOpen = before.length > 0 && before.at(-1) !== 0x0a;
	const start = isOpen ? lineEnd : "";
	const end = isOpen ? "" : lineEnd;
	const text = toBytes(`${start}${added.join(lineEnd)}${end}`);
	return { before, after: Buffer.concat([before, text]), added };
}

/** Lines of context in a diff, as diff -u has them. */
const CONTEXT_LINES = 3;

/** As `diff -u` would show it, but for the end of a last line that has none. */
export function diffLines({ before, added }: IgnoreFileFix, file: string): string[] {
	const lines = fromBytes(before).split(/\r?\n/);
	if (lines.at(-1) === "") lines.pop();
	const context = lines.slice(-CONTEXT_LINES);
	const start = lines.length - context.length + 1;
	const old = lines.length === 0 ? "0,0" : `${start},${context.length}`;
	return [
		`--- ${before.length === 0 ? "/dev/null" : file}`,
		`+++ ${file}`,
		`@@ -${old} +${start},${context.length + added.length} @@`,
		...context.map((line) => ` ${line}`),
		...added.map((line) => `+${line}`),
	];
}
