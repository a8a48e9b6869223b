import { byId } from "./elements.js";
import type { View } from "./view.js";
import { instructionLine, ruleLine } from "./wording.js";

/** The search field, and what else narrows down what is shown. */
export function connectFilters(view: View): void {
	const search = byId("search", HTMLInputElement);
	search.addEventListener("input", () => view.update({ query: search.value }));
	search.addEventListener("keydown", (event) => {
		if (event.key !== "Escape" || search.value === "") return;
		search.value = "";
		view.update({ query: "" });
	});
	document.addEventListener("keydown", (event) => {
		const isTyping = event.target instanceof HTMLInputElement;
		if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
		event.preventDefault();
		search.focus();
	});
	const chip = byId("only", HTMLButtonElement);
	chip.addEventListener("click", () => {
		view.update({ only: undefined });
		search.focus();
	});
	for (const measure of ["bytes", "files"] as const) {
		const choice = byId(`by-${measure}`, HTMLInputElement);
		choice.addEventListener("change", () => view.update({ measure }));
	}
	view.onChange(({ only }) => {
		chip.hidden = only === undefined;
		if (only === undefined) return;
		const line = (only.what === "rule" ? ruleLine : instructionLine)(view.tree, only.index);
		chip.textContent = `only ${line} ✕`;
		chip.setAttribute("aria-label", `stop showing only ${line}`);
	});
}
