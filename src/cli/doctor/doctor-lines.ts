import type { Colors } from "picocolors/types.js";
import { type Check, TITLES } from "../../doctor/check.js";
import { printableName } from "../../printable.js";
import { hangingLines } from "../../render/rows.js";

const SIGNS = { ok: "✔", warning: "!", failed: "✘", skipped: "-" } as const;
const PLAIN_SIGNS = { ...SIGNS, ok: "+", failed: "x" } as const;

const WIDTH = Math.max(...Object.values(TITLES).map((title) => title.length));
/** Sign and title, with the blanks behind them. */
const INDENT = "✔ ".length + WIDTH + "  ".length;

interface Look {
	readonly colors: Colors;
	/** Whether the terminal knows more than ASCII. */
	readonly unicode: boolean;
	/** Of a line, in cells. */
	readonly width: number;
}

/** For people: what was found, and below it what to do. */
export function checkLines(
	{ id, state, detail, fix }: Check,
	{ colors, unicode, width }: Look,
): readonly string[] {
	const paint = {
		ok: colors.green,
		warning: colors.yellow,
		failed: colors.red,
		skipped: colors.dim,
	}[state];
	const sign = (unicode ? SIGNS : PLAIN_SIGNS)[state];
	const behind = (start: string, text: string, indent: number) =>
		hangingLines(start, printableName(text).split(" "), { width, indent });
	const [first = "", ...others] = behind(`${sign} ${TITLES[id].padEnd(WIDTH)}  `, detail, INDENT);
	const arrow = `${" ".repeat(INDENT)}${unicode ? "→" : "->"} `;
	const shown = state === "skipped" ? colors.dim : String;
	return [
		paint(sign) + first.slice(sign.length, INDENT) + shown(first.slice(INDENT)),
		...others.map(shown),
		...(fix === undefined ? [] : behind(arrow, fix, arrow.length)),
	];
}
