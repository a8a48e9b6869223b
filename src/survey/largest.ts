/** The few largest of many, largest first; of equals, those that came first. */
export class Largest<Item> {
	readonly #limit: number;
	readonly #ranked: { readonly item: Item; readonly size: number }[] = [];

	constructor(limit: number) {
		this.#limit = limit;
	}

	add(item: Item, size: number): void {
		const ranked = this.#ranked;
		if (ranked.length === this.#limit && size <= (ranked.at(-1)?.size ?? Infinity)) return;
		let at = ranked.length;
		while (at > 0 && (ranked[at - 1]?.size ?? 0) < size) at--;
		ranked.splice(at, 0, { item, size });
		if (ranked.length > this.#limit) ranked.pop();
	}

	get items(): Item[] {
		return this.#ranked.map(({ item }) => item);
	}
}
