import { treemapSquarify } from "d3-hierarchy";
import type { ContextTree } from "./tree.js";

/** A rectangle of the picture, in CSS pixels. */
export interface Cell {
	readonly node: number;
	readonly value: number;
	/** Printable: the names of directories that have nothing but one another in one. */
	readonly label: string;
	/** The cell it is in, by its position among all. */
	readonly parent: number;
	x0: number;
	y0: number;
	x1: number;
	y1: number;
	/** Whether what is in it is drawn in it, below a line with its name. */
	isDivided: boolean;
}

export const HEADER_HEIGHT = 20;
const MARGIN = 3;
/** CSS pixels of a side: what is smaller is not divided, or not drawn at all. */
const DIVIDED_WIDTH = 46;
const DIVIDED_HEIGHT = 44;
const DRAWN = 1;

/**
 * Divides a rectangle among what is in a directory, and so on as far down as it can be seen: most of a
 * large tree is never looked at.
 *
 * @param weights of every path, by its number
 * @returns parents before what is in them; the first is the directory itself
 */
export function layOut(
	tree: ContextTree,
	weights: Float64Array,
	directory: number,
	width: number,
	height: number,
): Cell[] {
	const value = weights[directory] as number;
	const root: Cell = {
		...{ node: directory, value, label: "", parent: -1 },
		...{ x0: 0, y0: 0, x1: width, y1: height, isDivided: true },
	};
	const cells = [root];
	divide(tree, weights, cells, 0, root);
	for (let at = 1; at < cells.length; at++) {
		const cell = cells[at] as Cell;
		if (!tree.isOpen(cell.node)) continue;
		if (cell.x1 - cell.x0 < DIVIDED_WIDTH || cell.y1 - cell.y0 < DIVIDED_HEIGHT) continue;
		cell.isDivided = true;
		const inside = { x0: cell.x0 + MARGIN, y0: cell.y0 + HEADER_HEIGHT };
		divide(tree, weights, cells, at, { ...inside, x1: cell.x1 - MARGIN, y1: cell.y1 - MARGIN });
	}
	return cells;
}

function divide(
	tree: ContextTree,
	weights: Float64Array,
	cells: Cell[],
	parent: number,
	{ x0, y0, x1, y1 }: Pick<Cell, "x0" | "y0" | "x1" | "y1">,
): void {
	const { node, value } = cells[parent] as Cell;
	const children: Cell[] = [];
	for (const child of tree.children(node)) {
		const childValue = weights[child] as number;
		if (childValue <= 0) continue;
		const { end, label } = withOnlyChildren(tree, weights, child);
		const place = { x0: 0, y0: 0, x1: 0, y1: 0, isDivided: false };
		children.push({ node: end, value: childValue, label, parent, ...place });
	}
	children.sort((one, other) => other.value - one.value);
	// It only asks for values, and only writes places.
	treemapSquarify({ value, children } as never, x0, y0, x1, y1);
	for (const cell of children) {
		if (cell.x1 - cell.x0 >= DRAWN && cell.y1 - cell.y0 >= DRAWN) cells.push(cell);
	}
}

/** A directory that only has another one in it is shown as one with it. */
function withOnlyChildren(tree: ContextTree, weights: Float64Array, start: number) {
	let end = start;
	let label = tree.names[start] as string;
	for (;;) {
		const weighty: number[] = [];
		for (const child of tree.children(end)) {
			if ((weights[child] as number) > 0) weighty.push(child);
			if (weighty.length > 1) break;
		}
		const only = weighty[0];
		if (weighty.length !== 1 || only === undefined || !tree.isOpen(only)) return { end, label };
		end = only;
		label += `/${tree.names[only]}`;
	}
}

/** The innermost cell at a point. */
export function cellAt(cells: readonly Cell[], x: number, y: number): Cell | undefined {
	for (let at = cells.length - 1; at > 0; at--) {
		const cell = cells[at] as Cell;
		if (x >= cell.x0 && x < cell.x1 && y >= cell.y0 && y < cell.y1) return cell;
	}
	return undefined;
}

/** The largest of those that nothing is drawn in. */
export function largest(cells: readonly Cell[]): Cell | undefined {
	let most: Cell | undefined;
	for (const cell of cells) {
		if (!cell.isDivided && cell.value > (most?.value ?? 0)) most = cell;
	}
	return most;
}

export type Direction = "left" | "right" | "up" | "down";

/** The nearest cell in a direction among those that nothing is drawn in. */
export function neighbour(
	cells: readonly Cell[],
	from: Cell,
	direction: Direction,
): Cell | undefined {
	const sideways = direction === "left" || direction === "right";
	const sign = direction === "left" || direction === "up" ? -1 : 1;
	const [x, y] = centre(from);
	let best: Cell | undefined;
	let bestDistance = Number.POSITIVE_INFINITY;
	for (const cell of cells) {
		if (cell === from || cell.isDivided) continue;
		const [cellX, cellY] = centre(cell);
		const ahead = sign * (sideways ? cellX - x : cellY - y);
		if (ahead <= 0) continue;
		const aside = sideways ? gap(cell.y0, cell.y1, y) : gap(cell.x0, cell.x1, x);
		const distance = ahead + 3 * aside;
		if (distance < bestDistance) [best, bestDistance] = [cell, distance];
	}
	return best;
}

function centre({ x0, y0, x1, y1 }: Cell): readonly [number, number] {
	return [(x0 + x1) / 2, (y0 + y1) / 2];
}

/** How far a point is from an interval. */
function gap(start: number, end: number, point: number): number {
	return Math.max(start - point, point - end, 0);
}
