import { type NodeVerdict, VERDICTS } from "../page-data.js";

export interface Palette {
	readonly ground: string;
	readonly directory: string;
	/** Around a directory, and of the text in it. */
	readonly edge: string;
	readonly header: string;
	readonly text: string;
	readonly focus: string;
	readonly cells: Readonly<Record<NodeVerdict, CellColors>>;
}

interface CellColors {
	readonly fill: string;
	readonly text: string;
	/** Drawn over the fill: colour alone should not tell verdicts apart. */
	readonly hatch: CanvasPattern | undefined;
}

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
export const LABEL_FONT = `12px ${FONT}`;
export const SMALL_FONT = `11px ${FONT}`;
export const HEADER_FONT = `600 12px ${FONT}`;

/** The colours of page.css, which follow the user's choice of light or dark. */
export function readPalette(context: CanvasRenderingContext2D): Palette {
	const styles = getComputedStyle(document.documentElement);
	const color = (name: string) => styles.getPropertyValue(`--${name}`).trim();
	const cells = VERDICTS.map((verdict) => [
		verdict,
		{
			fill: color(verdict),
			text: color(`on-${verdict}`),
			hatch: HATCHED.has(verdict) ? hatch(context, color(`${verdict}-hatch`)) : undefined,
		},
	]);
	return {
		ground: color("ground"),
		directory: color("directory"),
		edge: color("directory-edge"),
		header: color("directory-text"),
		text: color("text"),
		focus: color("focus"),
		cells: Object.fromEntries(cells),
	};
}

const HATCHED: ReadonlySet<NodeVerdict> = new Set(["ignored"]);

/** Diagonal lines. */
function hatch(context: CanvasRenderingContext2D, color: string): CanvasPattern | undefined {
	const tile = document.createElement("canvas");
	tile.width = tile.height = 8;
	const lines = tile.getContext("2d");
	if (lines === null) return undefined;
	lines.strokeStyle = color;
	lines.lineWidth = 1.2;
	for (const offset of [-8, 0, 8]) {
		lines.moveTo(offset, 8);
		lines.lineTo(offset + 8, 0);
	}
	lines.stroke();
	return context.createPattern(tile, "repeat") ?? undefined;
}
