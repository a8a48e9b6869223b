import { button, element } from "./elements.js";
import { ROOT } from "./tree.js";
import type { View } from "./view.js";

/** Where the picture is zoomed to, and the way back. */
export function fillBreadcrumb(list: HTMLElement, view: View): void {
	const { tree } = view;
	const update = () => {
		const { zoomed } = view.state;
		const items = tree.lineage(zoomed).map((node) => {
			const name = node === ROOT ? "context" : (tree.names[node] as string);
			if (node === zoomed) return element("li", { "aria-current": "location" }, name);
			return element(
				"li",
				{},
				button(name, () => view.update({ zoomed: node })),
			);
		});
		list.replaceChildren(...items);
	};
	view.onChange((state, before) => {
		if (state.zoomed !== before.zoomed) update();
	});
	update();
}
