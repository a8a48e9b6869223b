import { VERDICTS } from "../page-data.js";
import { element } from "./elements.js";
import type { ContextTree } from "./tree.js";
import type { SortColumn, View, ViewState } from "./view.js";
import { deciderOf, formatBytes, formatCount, VERDICT_WORDS } from "./wording.js";

/** CSS pixels; page.css has the same. */
const ROW_HEIGHT = 30;
/** Above and below what can be seen. */
const SPARE_ROWS = 8;
/** No browser scrolls further than some 17 million pixels. */
const MOST_ROWS = 500_000;

const COLUMNS: readonly SortColumn[] = ["path", "verdict", "size", "files"];

/** The files of the directory that is zoomed to, as far as they pass the filters; only the rows that show are there. */
export class FileTable {
	readonly #view: View;
	readonly #tree: ContextTree;
	readonly #scroller: HTMLElement;
	readonly #table: HTMLTableElement;
	readonly #body: HTMLTableSectionElement;
	readonly #onListed: (text: string) => void;
	#rows: Uint32Array = new Uint32Array();
	/** The row that the keyboard is at. */
	#current = 0;

	constructor(
		scroller: HTMLElement,
		table: HTMLTableElement,
		view: View,
		onListed: (text: string) => void,
	) {
		this.#view = view;
		this.#tree = view.tree;
		this.#scroller = scroller;
		this.#table = table;
		this.#body = table.tBodies[0] ?? table.createTBody();
		this.#onListed = onListed;
		scroller.addEventListener("scroll", () => this.#draw());
		new ResizeObserver(() => this.#draw()).observe(scroller);
		for (const column of COLUMNS) {
			this.#header(column)
				?.querySelector("button")
				?.addEventListener("click", () => this.#sortBy(column));
		}
		this.#body.addEventListener("click", (event) => this.#click(event));
		this.#body.addEventListener("dblclick", (event) => this.#click(event, true));
		this.#body.addEventListener("keydown", (event) => this.#key(event));
		view.onChange((state, before) => this.#changed(state, before));
		this.#list();
	}

	#changed(state: ViewState, before: ViewState): void {
		const { selected: _is, measure: _by, ...now } = state;
		if (Object.entries(now).some(([key, value]) => before[key as keyof ViewState] !== value)) {
			this.#list();
		} else if (state.selected !== before.selected) {
			this.#reveal(state.selected);
		}
	}

	#list(): void {
		const { zoomed, sort } = this.#view.state;
		const end = this.#tree.ends[zoomed] as number;
		const found: number[] = [];
		let bytes = 0;
		let files = 0;
		for (let node = zoomed; node < end; node++) {
			if (!this.#view.isListed(node)) continue;
			found.push(node);
			bytes += this.#tree.size(node);
			files += this.#tree.fileCount(node);
		}
		this.#rows = sorted(found, this.#tree, sort);
		this.#current = 0;
		for (const column of COLUMNS) {
			const direction = sort.descending ? "descending" : "ascending";
			this.#header(column)?.setAttribute("aria-sort", column === sort.column ? direction : "none");
		}
		const shown = Math.min(this.#rows.length, MOST_ROWS);
		const rest = shown < found.length ? `; the first ${formatCount(shown)} are listed` : "";
		this.#onListed(
			`${formatCount(files)} ${files === 1 ? "file" : "files"}, ${formatBytes(bytes)}${rest}`,
		);
		this.#rows = this.#rows.subarray(0, shown);
		this.#table.setAttribute("aria-rowcount", String(shown + 1));
		this.#scroller.scrollTop = 0;
		this.#reveal(this.#view.state.selected);
	}

	/** Makes the row of a path the current one, and has it seen. */
	#reveal(node: number | undefined): void {
		const row = node === undefined ? -1 : this.#rows.indexOf(node);
		if (row >= 0) {
			this.#current = row;
			this.#scrollTo(row);
		}
		this.#draw();
	}

	#scrollTo(row: number): void {
		const { scrollTop, clientHeight } = this.#scroller;
		const head = this.#table.tHead?.offsetHeight ?? 0;
		const top = row * ROW_HEIGHT;
		if (top < scrollTop) this.#scroller.scrollTop = top;
		else if (top + ROW_HEIGHT + head > scrollTop + clientHeight) {
			this.#scroller.scrollTop = top + ROW_HEIGHT + head - clientHeight;
		}
	}

	#draw(): void {
		const { scrollTop, clientHeight } = this.#scroller;
		const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - SPARE_ROWS);
		const last = Math.min(
			this.#rows.length,
			Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + SPARE_ROWS,
		);
		const hadFocus = this.#body.contains(document.activeElement);
		const shown: HTMLElement[] = [];
		for (let row = first; row < last; row++) shown.push(this.#row(row));
		if (this.#rows.length === 0) shown.push(emptyRow());
		this.#body.replaceChildren(
			spacer(first * ROW_HEIGHT),
			...shown,
			spacer((this.#rows.length - last) * ROW_HEIGHT),
		);
		if (hadFocus) this.#rowElement(this.#current)?.focus({ preventScroll: true });
	}

	#row(row: number): HTMLTableRowElement {
		const tree = this.#tree;
		const node = this.#rows[row] as number;
		const verdict = tree.verdict(node);
		const isDirectory = tree.kind(node) === "directory";
		const path = `${tree.path(node)}${isDirectory ? "/" : ""}`;
		const decider = deciderOf(tree, node);
		return element(
			"tr",
			{
				"aria-rowindex": String(row + 2),
				"aria-selected": String(node === this.#view.state.selected),
				tabindex: row === this.#current ? "0" : "-1",
				"data-row": String(row),
			},
			element("td", { class: "path", title: path }, element("bdi", {}, path)),
			element(
				"td",
				{ class: "verdict" },
				element("span", { class: `tag ${verdict}` }, VERDICT_WORDS[verdict]),
			),
			element("td", { class: "number" }, formatBytes(tree.size(node))),
			element("td", { class: "number" }, formatCount(tree.fileCount(node))),
			element("td", { class: "decider", title: decider }, decider),
		);
	}

	#rowElement(row: number): HTMLElement | null {
		return this.#body.querySelector<HTMLElement>(`[data-row="${row}"]`);
	}

	#header(column: SortColumn): HTMLElement | null {
		return this.#table.querySelector<HTMLElement>(`th[data-column="${column}"]`);
	}

	#sortBy(column: SortColumn): void {
		const { sort } = this.#view.state;
		// Whoever sorts by size wants the largest first.
		const descending =
			column === sort.column ? !sort.descending : column === "size" || column === "files";
		this.#view.update({ sort: { column, descending } });
	}

	#click({ target }: Event, isDouble = false): void {
		const row = target instanceof Element ? target.closest<HTMLElement>("[data-row]") : null;
		if (row === null) return;
		this.#current = Number(row.dataset.row);
		const node = this.#rows[this.#current] as number;
		if (isDouble) this.#view.zoom(node);
		else this.#view.update({ selected: node });
		this.#rowElement(this.#current)?.focus({ preventScroll: true });
	}

	#key(event: KeyboardEvent): void {
		if (event.altKey || event.ctrlKey || event.metaKey) return;
		const page = Math.max(1, Math.floor(this.#scroller.clientHeight / ROW_HEIGHT) - 2);
		const steps: Readonly<Record<string, number>> = {
			ArrowDown: 1,
			ArrowUp: -1,
			PageDown: page,
			PageUp: -page,
			Home: -this.#rows.length,
			End: this.#rows.length,
		};
		const step = steps[event.key];
		const node = this.#rows[this.#current];
		if (step !== undefined) this.#goTo(this.#current + step);
		else if (event.key === " " && node !== undefined) this.#view.update({ selected: node });
		else if (event.key === "Enter" && node !== undefined) {
			this.#view.zoom(this.#tree.parents[node] as number);
			this.#view.update({ selected: node });
		} else return;
		event.preventDefault();
	}

	#goTo(row: number): void {
		this.#current = Math.max(0, Math.min(row, this.#rows.length - 1));
		this.#scrollTo(this.#current);
		const node = this.#rows[this.#current];
		if (node !== undefined) this.#view.update({ selected: node });
	}
}

function sorted(
	nodes: number[],
	tree: ContextTree,
	{ column, descending }: ViewState["sort"],
): Uint32Array {
	const key = keyOf(tree, column);
	// Nodes are numbered in the order of their paths.
	const compare = (one: number, other: number) => key(one) - key(other) || one - other;
	const backwards = (one: number, other: number) =>
		key(other) - key(one) || (column === "path" ? other - one : one - other);
	return Uint32Array.from(nodes).sort(descending ? backwards : compare);
}

function keyOf(tree: ContextTree, column: SortColumn): (node: number) => number {
	switch (column) {
		case "path":
			return () => 0;
		case "verdict":
			return (node) => VERDICTS.indexOf(tree.verdict(node));
		case "size":
			return (node) => tree.size(node);
		case "files":
			return (node) => tree.fileCount(node);
	}
}

/** In the place of rows that cannot be seen. */
function spacer(height: number): HTMLElement {
	const cell = element("td", { colspan: "5" });
	cell.style.height = `${height}px`;
	const row = element("tr", { "aria-hidden": "true", class: "spacer" }, cell);
	row.hidden = height === 0;
	return row;
}

function emptyRow(): HTMLElement {
	const text = "No files here pass the filters.";
	return element("tr", { class: "nothing" }, element("td", { colspan: "5" }, text));
}
