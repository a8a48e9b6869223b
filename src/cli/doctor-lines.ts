import type { Colors } from "picocolors/types.js";
import { type Check, TITLES } from "../doctor/check.js";
import { printableName } from "../render/printable.js";

const SIGNS = { ok: "✔", warning: "!", failed: "✘", skipped: "-" } as const;
const PLAIN_SIGNS = { ...SIGNS, ok: "+", failed: "x" } as const;

const WIDTH = Math.max(...Object.values(TITLES).map((title) => title.length));

export interface Look {
	readonly colors: Colors;
	/** Whether the terminal knows more than ASCII. */
	readonly unicode: boolean;
}

/** For people: a line, and below it what to do. */
export function checkLines(
	{ id, state, detail, fix }: Check,
	{ colors, unicode }: Look,
): readonly string[] {
	const paint = {
		ok: colors.green,
		warning: colors.yellow,
		failed: colors.red,
		skipped: colors.dim,
	}[state];
	const sign = paint((unicode ? SIGNS : PLAIN_SIGNS)[state]);
	const text = printableName(detail);
	const shown = state === "skipped" ? colors.dim(text) : text;
	const line = `${sign} ${TITLES[id].padEnd(WIDTH)}  ${shown}`.trimEnd();
	const arrow = unicode ? "→" : "->";
	return fix === undefined
		? [line]
		: [line, `  ${" ".repeat(WIDTH)}  ${arrow} ${printableName(fix)}`];
}
