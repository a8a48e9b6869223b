import { type NodeVerdict, VERDICTS } from "../page-data.js";
import { type ContextTree, ROOT } from "./tree.js";

export type SortColumn = "path" | "verdict" | "size" | "files";

/** What the user looks at. Everything on the page is drawn from this, and changes it through `update`. */
export interface ViewState {
	/** The directory that fills the picture. */
	readonly zoomed: number;
	readonly selected: number | undefined;
	readonly hidden: ReadonlySet<NodeVerdict>;
	/** Words that all have to be in a path. */
	readonly query: string;
	/** Only what this instruction takes, or this rule decided. */
	readonly only: Only | undefined;
	readonly measure: "bytes" | "files";
	readonly sort: { readonly column: SortColumn; readonly descending: boolean };
}

export type Only = { readonly what: "instruction" | "rule"; readonly index: number };

/** Whether each path passes the filters, by its number. */
export type Matches = Uint8Array;

export class View {
	readonly tree: ContextTree;
	#state: ViewState;
	readonly #listeners: ((state: ViewState, before: ViewState) => void)[] = [];
	/** Null where there is nothing to look for, and so everything is found. */
	matches: Matches | null = null;

	constructor(tree: ContextTree) {
		this.tree = tree;
		this.#state = {
			zoomed: ROOT,
			selected: undefined,
			hidden: initiallyHidden(tree),
			query: "",
			only: undefined,
			measure: "bytes",
			sort: { column: "size", descending: true },
		};
	}

	get state(): ViewState {
		return this.#state;
	}

	onChange(listener: (state: ViewState, before: ViewState) => void): void {
		this.#listeners.push(listener);
	}

	update(change: Partial<ViewState>): void {
		const before = this.#state;
		this.#state = { ...before, ...change };
		const { query, only } = this.#state;
		if (query !== before.query || only !== before.only)
			this.matches = findMatches(this.tree, query, only);
		for (const listener of this.#listeners) listener(this.#state, before);
	}

	/** Fills the picture with a directory, or with the one that a file is in. */
	zoom(node: number): void {
		const { tree } = this;
		this.update({
			zoomed: tree.isOpen(node) ? node : Math.max(tree.parents[node] as number, ROOT),
		});
	}

	zoomOut(): void {
		const parent = this.tree.parents[this.#state.zoomed] as number;
		if (parent >= 0) this.update({ zoomed: parent, selected: this.#state.zoomed });
	}

	/** Shows a path wherever the user is: in its directory, if it is not within the picture. */
	reveal(node: number): void {
		const { tree } = this;
		const { zoomed, hidden } = this.#state;
		const shown = new Set(hidden);
		shown.delete(tree.verdict(node));
		this.update({
			selected: node,
			hidden: shown.size === hidden.size ? hidden : shown,
			zoomed: tree.contains(zoomed, node) ? zoomed : Math.max(tree.parents[node] as number, ROOT),
		});
	}

	/** Whether it is a line of the table: what stands for files, and passes the filters. */
	isListed(node: number): boolean {
		return (
			!this.tree.isOpen(node) &&
			this.matches?.[node] !== 0 &&
			!this.#state.hidden.has(this.tree.verdict(node))
		);
	}
}

/** Where more is ignored than sent, the picture would show little of what it is about. */
function initiallyHidden({ data }: ContextTree): ReadonlySet<NodeVerdict> {
	const { bytes, ignored } = data.totals;
	return new Set(bytes > 0 && ignored.bytes > bytes ? (["ignored"] as const) : []);
}

function findMatches(tree: ContextTree, query: string, only: Only | undefined): Matches | null {
	const words = query.toLowerCase().split(/\s+/).filter(Boolean);
	if (words.length === 0 && only === undefined) return null;
	const matches = new Uint8Array(tree.count);
	const texts = words.length === 0 ? [] : tree.searchTexts;
	for (let node = tree.count - 1; node > ROOT; node--) {
		if (tree.isOpen(node)) continue;
		if (!words.every((word) => texts[node]?.includes(word)) || !isOf(tree, node, only)) continue;
		for (let at = node; at >= 0 && matches[at] === 0; at = tree.parents[at] as number)
			matches[at] = 1;
	}
	return matches;
}

function isOf(tree: ContextTree, node: number, only: Only | undefined): boolean {
	if (only === undefined) return true;
	if (only.what === "rule") return tree.data.nodes.rules[node] === only.index;
	return tree.takers(node)?.includes(only.index) ?? false;
}

/** The verdicts that there are in a context, in the order of the legend. */
export function verdictsIn(tree: ContextTree): readonly NodeVerdict[] {
	const known = tree.data.instructions !== null;
	const usual: readonly NodeVerdict[] = known
		? ["needed", "unused", "ignored"]
		: ["sent", "ignored"];
	const amounts = tree.amounts(ROOT);
	return VERDICTS.filter((verdict) => usual.includes(verdict) || amounts.has(verdict));
}
