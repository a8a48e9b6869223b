import { button, element } from "./elements.js";
import type { ContextTree } from "./tree.js";
import type { Only, View } from "./view.js";
import { formatBytes, formatFiles, instructionLine, ruleLine } from "./wording.js";

/** What is to be said of the context as a whole: warnings, secrets, advice, the Dockerfile's instructions, rules. */
export function fillFindings(place: HTMLElement, view: View): void {
	const { warnings, unreadable } = view.tree.data;
	place.append(
		...section("Warnings", warnings.map(sentence), true),
		...section("Unreadable", unreadable.map(sentence), true),
		...section(
			"Secrets",
			view.tree.data.secrets.map((secret) => secretItem(view, secret)),
			true,
		),
		...section(
			"Advice",
			view.tree.data.advice.map((advice) => adviceItem(view, advice)),
			true,
		),
		...section("Instructions", instructionItems(view), view.tree.data.doubts.length > 0),
		...section(
			"Rules",
			view.tree.data.rules.map((_, rule) => ruleItem(view, rule)),
			false,
		),
	);
}

function section(title: string, items: readonly HTMLElement[], isOpen: boolean): HTMLElement[] {
	if (items.length === 0) return [];
	const count = element("span", { class: "count" }, String(items.length));
	const heading = element("h2", {}, title, " ", count);
	const summary = element("summary", {}, heading);
	const made = element(
		"details",
		{ class: `card ${title.toLowerCase()}` },
		summary,
		element("ul", {}, ...items),
	);
	made.open = isOpen;
	return [made];
}

function sentence(text: string): HTMLElement {
	return element("li", {}, text);
}

function secretItem(view: View, { path, what, line }: ContextTree["data"]["secrets"][number]) {
	const where = line === undefined ? what : `${what}, line ${line}`;
	return element("li", {}, pathButton(view, path), element("div", { class: "note" }, where));
}

function adviceItem(view: View, advice: ContextTree["data"]["advice"][number]): HTMLElement {
	const { text, files, bytes, lines, paths } = advice;
	const item = element("li", {}, element("div", {}, text));
	if (bytes > 0 || files > 0) {
		const amount = `${formatBytes(bytes)}, ${formatFiles(files)}`;
		const note = lines.length > 0 ? `saves ${amount}` : amount;
		item.append(element("div", { class: "note" }, note));
	}
	if (lines.length > 0) item.append(element("pre", { tabindex: "0" }, ...asLines(lines)));
	for (const path of paths.slice(0, 3)) item.append(pathButton(view, path));
	return item;
}

function asLines(lines: readonly string[]): (Node | string)[] {
	return lines.flatMap((line) => [line, document.createTextNode("\n")]).slice(0, -1);
}

function instructionItems(view: View): HTMLElement[] {
	const { instructions, doubts } = view.tree.data;
	return [
		...doubts.map((doubt) => element("li", { class: "doubt" }, doubt)),
		...(instructions ?? []).map(({ text, files, bytes }, index) => {
			const label = `${instructionLine(view.tree, index)}`;
			const amount = `${formatBytes(bytes)}, ${formatFiles(files)}`;
			return filterItem(view, { what: "instruction", index }, label, text, amount);
		}),
	];
}

function ruleItem(view: View, index: number): HTMLElement {
	const { text = "", files = 0, bytes = 0, doubt } = view.tree.data.rules[index] ?? {};
	const amount = files === 0 ? "decides nothing" : `${formatBytes(bytes)}, ${formatFiles(files)}`;
	const item = filterItem(view, { what: "rule", index }, ruleLine(view.tree, index), text, amount);
	if (doubt !== undefined) item.append(element("div", { class: "note doubt" }, doubt));
	return item;
}

/** Shows only what an instruction takes or a rule decided. */
function filterItem(
	view: View,
	only: Only,
	label: string,
	text: string,
	amount: string,
): HTMLElement {
	const isOn = () => view.state.only?.what === only.what && view.state.only.index === only.index;
	const toggle = button(label, () => {
		const hidden = new Set(view.state.hidden);
		hidden.delete("ignored");
		view.update(isOn() ? { only: undefined } : { only, hidden });
	});
	toggle.setAttribute("aria-pressed", "false");
	view.onChange(() => toggle.setAttribute("aria-pressed", String(isOn())));
	return element(
		"li",
		{},
		element("div", { class: "line" }, toggle, element("span", { class: "note" }, amount)),
		element("code", {}, text),
	);
}

function pathButton(view: View, path: string): HTMLElement {
	const node = view.tree.find(path.replace(/\/$/, ""));
	if (node === undefined) return element("div", { class: "path-name" }, path);
	return button(view.tree.path(node), () => view.reveal(node), "link path-name");
}
