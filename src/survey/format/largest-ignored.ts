import type { IgnoredPath } from "../context-document.js";
import { Largest } from "../largest.js";

const SHORT_LIST = 10;

/** As many as a list is to have: few of them, unless all are asked for. */
export function largestIgnored(
	ignored: readonly IgnoredPath[],
	top: number,
): readonly IgnoredPath[] {
	if (top === Number.POSITIVE_INFINITY) return ignored;
	const largest = new Largest<IgnoredPath>(Math.min(top, SHORT_LIST));
	for (const path of ignored) largest.add(path, path.size);
	return largest.items;
}
