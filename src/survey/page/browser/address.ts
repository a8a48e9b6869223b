import type { View } from "./view.js";

/** Keeps the directory that is zoomed to in the page's address, so that "back" zooms out again. */
export function followAddress(view: View): void {
	const read = () => {
		const { hash } = location;
		if (hash !== "" && !hash.startsWith("#/")) return;
		view.zoom(view.tree.atAddress(hash.slice(2)));
	};
	view.onChange((state, before) => {
		if (state.zoomed === before.zoomed) return;
		const hash = `#/${view.tree.address(state.zoomed)}`;
		if (hash !== (location.hash || "#/")) history.pushState(null, "", hash);
	});
	addEventListener("popstate", read);
	read();
}
