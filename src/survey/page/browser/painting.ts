import type { NodeVerdict } from "../page-data.js";
import { type Cell, HEADER_HEIGHT } from "./layout.js";
import { HEADER_FONT, LABEL_FONT, type Palette, SMALL_FONT } from "./palette.js";
import type { ContextTree } from "./tree.js";
import type { Matches } from "./view.js";

/** Cells that are smaller stay without the gap around them. */
const GAP_FROM = 4;
const DIMMED = 0.16;

export interface Painting {
	readonly tree: ContextTree;
	readonly cells: readonly Cell[];
	/** What most of a directory is, by its number. */
	readonly mainVerdict: (node: number) => NodeVerdict;
	readonly hasSecret: (node: number) => boolean;
	/** What is written below a name. */
	readonly amountOf: (node: number) => string;
	readonly matches: Matches | null;
}

/** Draws a layout, in CSS pixels. */
export function paint(
	context: CanvasRenderingContext2D,
	painting: Painting,
	palette: Palette,
	width: number,
	height: number,
): void {
	context.fillStyle = palette.ground;
	context.fillRect(0, 0, width, height);
	context.textBaseline = "middle";
	for (const cell of painting.cells.slice(1)) {
		context.globalAlpha = painting.matches?.[cell.node] === 0 ? DIMMED : 1;
		if (cell.isDivided) paintDirectory(context, cell, painting, palette);
		else paintCell(context, cell, painting, palette);
	}
	context.globalAlpha = 1;
}

function paintDirectory(
	context: CanvasRenderingContext2D,
	cell: Cell,
	{ amountOf }: Painting,
	palette: Palette,
): void {
	const { x, y, width, height } = inside(cell);
	context.fillStyle = palette.directory;
	roundRect(context, x, y, width, height, 4);
	context.strokeStyle = palette.edge;
	context.lineWidth = 1;
	context.stroke();
	context.fillStyle = palette.header;
	context.font = HEADER_FONT;
	const middle = y + HEADER_HEIGHT / 2;
	const nameWidth = write(context, cell.label, x + 6, middle, width - 12);
	context.font = SMALL_FONT;
	const amount = amountOf(cell.node);
	const amountWidth = context.measureText(amount).width;
	if (nameWidth + amountWidth + 28 < width) {
		context.fillText(amount, x + width - 6 - amountWidth, middle);
	}
}

function paintCell(
	context: CanvasRenderingContext2D,
	cell: Cell,
	{ tree, mainVerdict, hasSecret, amountOf }: Painting,
	palette: Palette,
): void {
	const { x, y, width, height } = inside(cell);
	const { fill, text, hatch } = palette.cells[mainVerdict(cell.node)];
	const radius = Math.min(3, width / 4, height / 4);
	context.fillStyle = fill;
	roundRect(context, x, y, width, height, radius);
	if (hatch !== undefined && width > 6 && height > 6) {
		context.fillStyle = hatch;
		roundRect(context, x, y, width, height, radius);
	}
	const isOpen = tree.isOpen(cell.node);
	if (isOpen && hasSecret(cell.node)) paintMark(context, x + width, y, palette);
	if (width < 34 || height < 15) return;
	context.fillStyle = text;
	context.font = isOpen ? HEADER_FONT : LABEL_FONT;
	const label = isOpen ? `${cell.label}/` : cell.label;
	write(context, label, x + 5, y + Math.min(height / 2, 11), width - 10);
	context.font = SMALL_FONT;
	const amount = amountOf(cell.node);
	const hasRoom = height > 34 && context.measureText(amount).width <= width - 10;
	if (hasRoom) context.fillText(amount, x + 5, y + 26);
}

/** A corner in the colour of secrets, on a directory that is drawn as one. */
function paintMark(
	context: CanvasRenderingContext2D,
	right: number,
	top: number,
	palette: Palette,
) {
	context.fillStyle = palette.cells.secret.fill;
	context.beginPath();
	context.moveTo(right - 9, top);
	context.lineTo(right, top);
	context.lineTo(right, top + 9);
	context.fill();
}

function inside({ x0, y0, x1, y1 }: Cell) {
	const gap = x1 - x0 >= GAP_FROM && y1 - y0 >= GAP_FROM ? 0.75 : 0;
	return { x: x0 + gap, y: y0 + gap, width: x1 - x0 - 2 * gap, height: y1 - y0 - 2 * gap };
}

function roundRect(
	context: CanvasRenderingContext2D,
	...[x, y, width, height, radius]: readonly [number, number, number, number, number]
): void {
	if (radius < 1) {
		context.fillRect(x, y, width, height);
		return;
	}
	context.beginPath();
	context.roundRect(x, y, width, height, radius);
	context.fill();
}

/** As much of a text as has room, with an ellipsis for the rest. @returns its width */
function write(
	context: CanvasRenderingContext2D,
	text: string,
	x: number,
	y: number,
	room: number,
): number {
	const width = context.measureText(text).width;
	if (width <= room) {
		context.fillText(text, x, y);
		return width;
	}
	const characters = [...text.slice(0, 400)];
	let length = Math.floor((characters.length * room) / width);
	let shortened = "";
	do {
		shortened = `${characters.slice(0, length).join("")}…`;
		length--;
	} while (length > 0 && context.measureText(shortened).width > room);
	if (length > 0) context.fillText(shortened, x, y);
	return room;
}
