import type { NodeVerdict } from "../page-data.js";
import { type Cell, cellAt, type Direction, largest, layOut, neighbour } from "./layout.js";
import { type Painting, paint } from "./painting.js";
import { type Palette, readPalette } from "./palette.js";
import type { Tooltip } from "./tooltip.js";
import { type ContextTree, ROOT } from "./tree.js";
import type { View, ViewState } from "./view.js";
import { Weights } from "./weights.js";
import { deciderOf, formatBytes, formatFiles, VERDICT_WORDS } from "./wording.js";
import { animate } from "./zoom.js";

const DIRECTIONS: Readonly<Record<string, Direction>> = {
	ArrowLeft: "left",
	ArrowRight: "right",
	ArrowUp: "up",
	ArrowDown: "down",
};

/** The picture: a canvas, which the table stands in for where it cannot be seen. */
export class Treemap {
	/** What has the focus. */
	readonly #place: HTMLElement;
	readonly #canvas: HTMLCanvasElement;
	readonly #context: CanvasRenderingContext2D;
	readonly #view: View;
	readonly #tree: ContextTree;
	readonly #tooltip: Tooltip;
	readonly #announce: (text: string) => void;
	#palette: Palette;
	#size = { width: 0, height: 0 };
	#cells: readonly Cell[] = [];
	#weights: Weights;
	readonly #secrets: Float64Array;
	/** The layout as it was drawn, without what the pointer and the keyboard are at. */
	#drawn: HTMLCanvasElement = document.createElement("canvas");
	#hovered: Cell | undefined;
	#stopAnimation = () => {};

	constructor(place: HTMLElement, view: View, tooltip: Tooltip, announce: (text: string) => void) {
		const canvas = place.querySelector("canvas");
		const context = canvas?.getContext("2d") ?? null;
		if (canvas === null || context === null) throw new Error("this browser cannot draw");
		this.#place = place;
		this.#canvas = canvas;
		this.#view = view;
		this.#tree = view.tree;
		this.#tooltip = tooltip;
		this.#announce = announce;
		this.#context = context;
		this.#palette = readPalette(context);
		this.#weights = new Weights(this.#tree, view.state);
		this.#secrets = this.#tree.sums((node) => Number(this.#isLeafOf(node, "secret")));
		view.onChange((state, before) => this.#changed(state, before));
		new ResizeObserver(() => this.#resize()).observe(place);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
			this.#palette = readPalette(context);
			this.#redraw();
		});
		canvas.addEventListener("pointermove", (event) => this.#hover(event));
		canvas.addEventListener("pointerleave", () => this.#leave());
		canvas.addEventListener("click", (event) => this.#click(event));
		place.addEventListener("keydown", (event) => this.#key(event));
		place.addEventListener("focus", () => this.#show());
		place.addEventListener("blur", () => this.#show());
		this.#resize();
	}

	#changed(state: ViewState, before: ViewState): void {
		const isWeighedAnew = state.hidden !== before.hidden || state.measure !== before.measure;
		if (isWeighedAnew) this.#weights = new Weights(this.#tree, state);
		const from = state.zoomed === before.zoomed ? undefined : this.#zoomFrom(before.zoomed);
		const looksTheSame =
			!isWeighedAnew &&
			from === undefined &&
			state.query === before.query &&
			state.only === before.only;
		if (looksTheSame) this.#show();
		else this.#redraw(from);
	}

	#isLeafOf(node: number, verdict: NodeVerdict): boolean {
		return !this.#tree.isOpen(node) && this.#tree.verdict(node) === verdict;
	}

	#resize(): void {
		const { clientWidth: width, clientHeight: height } = this.#place;
		if (width === 0 || height === 0) return;
		this.#size = { width, height };
		this.#canvas.width = Math.round(width * devicePixelRatio);
		this.#canvas.height = Math.round(height * devicePixelRatio);
		this.#redraw();
	}

	/** @param from where in the picture before, or in the new one, the other one fits in */
	#redraw(from?: ZoomPlace): void {
		this.#stopAnimation();
		const { width, height } = this.#size;
		const before = this.#drawn;
		this.#cells = layOut(this.#tree, this.#weights.all, this.#view.state.zoomed, width, height);
		this.#hovered = undefined;
		const drawn = document.createElement("canvas");
		drawn.width = this.#canvas.width;
		drawn.height = this.#canvas.height;
		const context = drawn.getContext("2d");
		if (context === null) return;
		context.scale(devicePixelRatio, devicePixelRatio);
		paint(context, this.#painting(), this.#palette, width, height);
		this.#drawn = drawn;
		this.#place.dataset.cells = String(this.#cells.length - 1);
		const place = from === undefined ? undefined : this.#placeOf(from, before);
		if (place === undefined || matchMedia("(prefers-reduced-motion: reduce)").matches) {
			this.#show();
			return;
		}
		const isInward = from?.isInward ?? true;
		const zoom = { before, after: drawn, isInward, place, width, height };
		this.#stopAnimation = animate(this.#context, zoom, () => this.#show());
	}

	#painting(): Painting {
		return {
			tree: this.#tree,
			cells: this.#cells,
			mainVerdict: (node) => this.#weights.mainVerdict(node),
			hasSecret: (node) => (this.#secrets[node] as number) > 0,
			amountOf: (node) => this.#weights.textOf(node),
			matches: this.#view.matches,
		};
	}

	/** Which of the two pictures is a part of the other. */
	#zoomFrom(zoomed: number): ZoomPlace {
		const isInward = this.#tree.contains(zoomed, this.#view.state.zoomed);
		const cells = isInward ? this.#cells : undefined;
		return { isInward, cells, node: isInward ? this.#view.state.zoomed : zoomed };
	}

	#placeOf({ cells = this.#cells, node }: ZoomPlace, before: HTMLCanvasElement): Cell | undefined {
		if (before.width === 0) return undefined;
		return cells.find((cell) => cell.parent >= 0 && cell.node === node);
	}

	/** The picture with what is selected and pointed at. */
	#show(): void {
		this.#stopAnimation();
		const context = this.#context;
		context.setTransform(1, 0, 0, 1, 0, 0);
		context.drawImage(this.#drawn, 0, 0);
		context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
		if (this.#hovered !== undefined) this.#outline(this.#hovered, this.#palette.text, 1.5);
		const selected = this.#selectedCell();
		if (selected !== undefined) this.#outline(selected, this.#palette.focus, 3);
	}

	#outline({ x0, y0, x1, y1 }: Cell, color: string, lineWidth: number): void {
		const context = this.#context;
		context.strokeStyle = color;
		context.lineWidth = lineWidth;
		const inset = lineWidth / 2;
		context.strokeRect(
			x0 + inset,
			y0 + inset,
			Math.max(x1 - x0 - lineWidth, 1),
			Math.max(y1 - y0 - lineWidth, 1),
		);
	}

	/** The cell of what is selected, or of the directory that it vanishes in. */
	#selectedCell(): Cell | undefined {
		const { selected } = this.#view.state;
		if (selected === undefined) return undefined;
		return this.#cells.findLast((cell, at) => at > 0 && this.#tree.contains(cell.node, selected));
	}

	#cellOf({ offsetX, offsetY }: MouseEvent): Cell | undefined {
		return cellAt(this.#cells, offsetX, offsetY);
	}

	#hover(event: PointerEvent): void {
		const cell = this.#cellOf(event);
		if (cell !== this.#hovered) {
			this.#hovered = cell;
			this.#canvas.classList.toggle("zoomable", cell !== undefined && this.#tree.isOpen(cell.node));
			this.#show();
		}
		if (cell === undefined) this.#tooltip.hide();
		else this.#tooltip.show(event.clientX, event.clientY, this.#describe(cell.node));
	}

	#leave(): void {
		this.#hovered = undefined;
		this.#tooltip.hide();
		this.#show();
	}

	#click(event: MouseEvent): void {
		const cell = this.#cellOf(event);
		if (cell === undefined) return;
		this.#tooltip.hide();
		if (this.#tree.isOpen(cell.node)) this.#view.update({ zoomed: cell.node, selected: cell.node });
		else this.#view.update({ selected: cell.node });
	}

	#key(event: KeyboardEvent): void {
		if (event.altKey || event.ctrlKey || event.metaKey) return;
		const direction = DIRECTIONS[event.key];
		if (direction !== undefined) this.#move(direction);
		else if (event.key === "Enter" || event.key === " ") this.#enter();
		else if (event.key === "Backspace" || event.key === "Escape") this.#view.zoomOut();
		else if (event.key === "Home") this.#view.update({ zoomed: ROOT });
		else return;
		event.preventDefault();
	}

	#move(direction: Direction): void {
		const from = this.#selectedCell();
		const next =
			from === undefined ? largest(this.#cells) : neighbour(this.#cells, from, direction);
		if (next === undefined) return;
		this.#view.update({ selected: next.node });
		this.#announce(this.#describe(next.node).join(", "));
	}

	/** One directory further towards what is selected. */
	#enter(): void {
		const { selected, zoomed } = this.#view.state;
		if (selected === undefined || !this.#tree.contains(zoomed, selected)) return;
		const line = this.#tree.lineage(selected);
		const next = line[line.indexOf(zoomed) + 1];
		if (next === undefined || !this.#tree.isOpen(next)) return;
		this.#view.zoom(next);
		this.#announce(`zoomed into ${this.#tree.path(next)}`);
	}

	#describe(node: number): readonly string[] {
		const tree = this.#tree;
		const verdict = tree.isOpen(node)
			? formatFiles(tree.fileCount(node))
			: VERDICT_WORDS[tree.verdict(node)];
		const decider = tree.isOpen(node) ? "" : deciderOf(tree, node);
		const lines = [tree.path(node), `${formatBytes(tree.size(node))} · ${verdict}`];
		return decider === "" ? lines : [...lines, decider];
	}
}

interface ZoomPlace {
	readonly isInward: boolean;
	/** The picture that the place is in; absent: the new one. */
	readonly cells: readonly Cell[] | undefined;
	readonly node: number;
}
