import { element } from "./elements.js";

const DISTANCE = 14;

/** What is under the pointer. Whoever has no pointer is told the same by the live region. */
export class Tooltip {
	readonly #box: HTMLElement;

	constructor(box: HTMLElement) {
		this.#box = box;
	}

	show(x: number, y: number, lines: readonly string[]): void {
		this.#box.replaceChildren(...lines.map((line) => element("div", {}, line)));
		this.#box.hidden = false;
		const { offsetWidth, offsetHeight } = this.#box;
		const left =
			x + DISTANCE + offsetWidth < innerWidth ? x + DISTANCE : x - DISTANCE - offsetWidth;
		const top =
			y + DISTANCE + offsetHeight < innerHeight ? y + DISTANCE : y - DISTANCE - offsetHeight;
		this.#box.style.translate = `${Math.max(left, 4)}px ${Math.max(top, 4)}px`;
	}

	hide(): void {
		this.#box.hidden = true;
	}
}
