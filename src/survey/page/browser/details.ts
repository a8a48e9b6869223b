import { button, element } from "./elements.js";
import { ROOT } from "./tree.js";
import type { View } from "./view.js";
import {
	formatBytes,
	formatFiles,
	instructionLine,
	ruleLine,
	VERDICT_MEANINGS,
	VERDICT_WORDS,
} from "./wording.js";

/** All that is known of what is selected, or of the directory that is zoomed to. */
export function fillDetails(place: HTMLElement, view: View): void {
	const update = () => {
		const node = view.state.selected ?? view.state.zoomed;
		place.replaceChildren(...describe(view, node));
	};
	view.onChange((state, before) => {
		if (state.selected !== before.selected || state.zoomed !== before.zoomed) update();
	});
	update();
}

function describe(view: View, node: number): HTMLElement[] {
	const { tree } = view;
	const facts = tree.isOpen(node) ? directoryFacts(view, node) : pathFacts(view, node);
	const name = element(
		"p",
		{ class: "full-path" },
		element("bdi", {}, node === ROOT ? "the whole context" : tree.path(node)),
	);
	const list = element("dl");
	for (const [term, ...values] of facts) {
		list.append(element("dt", {}, term), ...values.map((value) => element("dd", {}, value)));
	}
	const zoom = button("Zoom in", () => view.zoom(node), "action");
	const canZoom = tree.isOpen(node) && node !== view.state.zoomed;
	return [name, list, ...(canZoom ? [zoom] : [])];
}

type Fact = readonly [term: string | HTMLElement, ...values: (string | HTMLElement)[]];

function directoryFacts({ tree }: View, node: number): Fact[] {
	const shares = [...tree.amounts(node)].map(([verdict, { bytes, files }]): Fact => {
		const tag = element("span", { class: `tag ${verdict}` }, VERDICT_WORDS[verdict]);
		return [tag, `${formatBytes(bytes)}, ${formatFiles(files)}`];
	});
	const all = `${formatBytes(tree.size(node))}, ${formatFiles(tree.fileCount(node))}`;
	return [["In all", all], ...shares];
}

function pathFacts({ tree }: View, node: number): Fact[] {
	const verdict = tree.verdict(node);
	const { rules, secrets } = tree.data;
	const rule = tree.data.nodes.rules[node] as number;
	const link = tree.data.nodes.links[node];
	const kind = tree.kind(node);
	const tag = element("span", { class: `tag ${verdict}` }, VERDICT_WORDS[verdict]);
	const facts: Fact[] = [["Verdict", tag, VERDICT_MEANINGS[verdict]]];
	const findings = secrets.filter(({ path }) => tree.find(path) === node);
	if (findings.length > 0) {
		facts.push([
			"Looks like",
			...findings.map(({ what, line }) => (line ? `${what}, line ${line}` : what)),
		]);
	}
	if (rule >= 0) {
		const { text = "", doubt } = rules[rule] ?? {};
		const quoted = element("code", {}, text);
		facts.push(["Rule", ruleLine(tree, rule), quoted, ...(doubt === undefined ? [] : [doubt])]);
	}
	const takers = tree.takers(node);
	if (takers !== undefined && takers.length > 0) {
		const lines = takers.flatMap((taker) => [
			instructionLine(tree, taker),
			element("code", {}, tree.data.instructions?.[taker]?.text ?? ""),
		]);
		facts.push(["Taken by", ...lines]);
	}
	const count = tree.fileCount(node);
	facts.push([
		"Size",
		kind === "directory"
			? `${formatBytes(tree.size(node))}, ${formatFiles(count)}`
			: formatBytes(tree.size(node)),
	]);
	if (kind !== "file") facts.push(["Kind", kind.replace("-", " ")]);
	if (link !== undefined) facts.push([kind === "symlink" ? "Leads to" : "Hard link to", link]);
	return facts;
}
