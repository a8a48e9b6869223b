import type { ContextSelection } from "../../context/entries/context-selection.js";
import type { ContextEntry } from "../../context/tree/manifest.js";
import { early } from "./early.js";

/** The entries of a selection, of which the next are asked for while those before are looked at. */
export class EntryList {
	readonly #selection: ContextSelection;
	#next: Promise<readonly ContextEntry[]>;
	#batch: readonly ContextEntry[] = [];
	#taken = 0;

	constructor(selection: ContextSelection) {
		this.#selection = selection;
		this.#next = early(selection.list());
	}

	/** So many of them, or fewer; none at the end. */
	async take(most: number): Promise<readonly ContextEntry[]> {
		if (this.#taken === this.#batch.length) {
			this.#batch = await this.#next;
			this.#taken = 0;
			if (this.#batch.length > 0) this.#next = early(this.#selection.list());
		}
		const entries = this.#batch.slice(this.#taken, this.#taken + most);
		this.#taken += entries.length;
		return entries;
	}
}
