import type { DockerfileLine } from "../../errors.js";

/** As many as docker shows around a line. */
const AROUND = 2;
/** Of an instruction: a long here-document would hide what it is about. */
const MOST = 12;

/**
 * The lines of an instruction, the longest cut, and some around it, without blank ones at either end.
 *
 * @param lines of the Dockerfile
 * @param first of the instruction, counted from 1
 * @param last of the instruction
 */
export function dockerfileExcerpt(
	lines: readonly string[],
	first: number,
	last: number,
): readonly DockerfileLine[] {
	const isCut = last - first >= MOST;
	let start = Math.max(first - AROUND, 1);
	let end = isCut ? first + MOST - 1 : Math.min(last + AROUND, lines.length);
	while (start < first && isBlank(lines[start - 1])) start++;
	while (end > last && isBlank(lines[end - 1])) end--;
	return lines.slice(start - 1, end).map((text, index) => ({ line: start + index, text }));
}

function isBlank(line = ""): boolean {
	return line.trim() === "";
}
