import type { NodeVerdict } from "../page-data.js";
import { element } from "./elements.js";
import { ROOT } from "./tree.js";
import { type View, verdictsIn } from "./view.js";
import { formatBytes, formatFiles, VERDICT_MEANINGS, VERDICT_WORDS } from "./wording.js";

/** What the colours mean and how much there is of each; each can be hidden. */
export function fillLegend(place: HTMLElement, view: View): void {
	const amounts = view.tree.amounts(ROOT);
	const toggles = verdictsIn(view.tree).map((verdict) => {
		const { files, bytes } = amounts.get(verdict) ?? { files: 0, bytes: 0 };
		const toggle = element(
			"button",
			{ type: "button", class: `verdict-toggle ${verdict}`, title: VERDICT_MEANINGS[verdict] },
			element("span", { class: "swatch", "aria-hidden": "true" }),
			element("span", { class: "word" }, VERDICT_WORDS[verdict]),
			element("span", { class: "amount" }, `${formatBytes(bytes)} · ${formatFiles(files)}`),
		);
		toggle.addEventListener("click", () => view.update({ hidden: toggled(view, verdict) }));
		return [verdict, toggle] as const;
	});
	const update = () => {
		for (const [verdict, toggle] of toggles) {
			toggle.setAttribute("aria-pressed", String(!view.state.hidden.has(verdict)));
		}
	};
	place.append(...toggles.map(([, toggle]) => toggle));
	view.onChange(update);
	update();
}

function toggled({ state }: View, verdict: NodeVerdict): ReadonlySet<NodeVerdict> {
	const hidden = new Set(state.hidden);
	if (!hidden.delete(verdict)) hidden.add(verdict);
	return hidden;
}
