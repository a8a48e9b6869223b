import { cutToWidth, displayWidth } from "../display-width.js";
import { formatDuration, shortenDigests } from "../format.js";
import { hangingLines } from "../rows.js";
import { type Step, TAIL_LINES } from "../steps.js";
import { amount } from "../wording.js";
import type { LiveLine } from "./live-region.js";

/** In front of what goes on, and of what is over. */
const MARK = " => ";

interface Space {
	/** Cells of a line. */
	readonly width: number;
	/** Lines for all steps. */
	readonly room: number;
	readonly now: number;
}

/**
 * A line for each running step, and below it what it last said, as far as there is room: those that
 * spoke last come first.
 */
export function liveSteps(
	running: readonly Step[],
	{ width, room, now }: Space,
	dim: (text: string) => string,
): LiveLine[] {
	const shown = running.length <= room ? running : running.slice(0, Math.max(0, room - 1));
	let spare = room - running.length;
	const tails = new Map<Step, readonly string[]>();
	for (const step of shown.toSorted((a, b) => b.heardAt - a.heardAt)) {
		const tail = spare > 0 ? tailOf(step).slice(-Math.min(spare, TAIL_LINES)) : [];
		tails.set(step, tail);
		spare -= tail.length;
	}
	const lines = shown.flatMap((step): LiveLine[] => [
		{ text: timedLine(stepTitle(step), now - step.startedAt, width) },
		...(tails.get(step) ?? []).map((text) => ({ text, paint: dim })),
	]);
	const hidden = running.length - shown.length;
	return hidden > 0 ? [...lines, { text: ` => and ${hidden} more` }] : lines;
}

/** A name as it fits on a screen. */
export function stepTitle(step: Step): string {
	return shortenDigests(step.name);
}

/** " => text      1.2s", exactly that wide when there is a duration. */
export function timedLine(text: string, durationMs: number | undefined, width: number): string {
	if (durationMs === undefined) return cutToWidth(MARK + text, width);
	const time = ` ${formatDuration(durationMs)}`;
	const left = cutToWidth(MARK + text, width - time.length);
	return left + " ".repeat(Math.max(0, width - displayWidth(left) - time.length)) + time;
}

/** The same with all of the text, on more lines where it does not fit on one. */
export function timedLines(text: string, durationMs: number | undefined, width: number): string[] {
	const time = durationMs === undefined ? "" : ` ${formatDuration(durationMs)}`;
	const style = { width: width - time.length, indent: MARK.length };
	const lines = hangingLines(MARK, text.split(" "), style);
	if (time === "") return lines;
	const last = lines.pop() ?? "";
	return [...lines, last + " ".repeat(Math.max(0, style.width - displayWidth(last))) + time];
}

function tailOf({ tail, log, items }: Step): string[] {
	const partial = log.partial;
	return [
		...tail.map((line) => ` => => # ${line}`),
		...(partial === "" ? [] : [` => => # ${partial}`]),
		...Array.from(items, ([name, { current, total }]) => {
			return ` => => ${shortenDigests(name)} ${amount(current, total)}`;
		}),
	];
}
