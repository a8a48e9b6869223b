import { visibleName } from "./names.js";

type Child = Node | string;

/**
 * An element. Text never becomes markup, and what would garble it is shown escaped: it may come from a
 * name in the context.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
	tag: Tag,
	attributes: Readonly<Record<string, string>> = {},
	...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
	const made = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
	made.append(...children.map((child) => (typeof child === "string" ? visibleName(child) : child)));
	return made;
}

export function button(label: string, onClick: () => void, className = "link"): HTMLButtonElement {
	const made = element("button", { type: "button", class: className }, label);
	made.addEventListener("click", onClick);
	return made;
}

/** What page.html has under that id. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
	const found = document.getElementById(id);
	if (found instanceof kind) return found;
	throw new Error(`the page has no ${id}`);
}
