import pc from "picocolors";
import { printablePath } from "../../context/path-bytes.js";
import { cutToWidth } from "../../render/display-width.js";
import { formatBytes, formatCount, formatFiles } from "../../render/format.js";
import { printableName } from "../../render/printable.js";
import type { ContextDocument } from "../context-document.js";
import { totalFileTypes } from "./file-types.js";
import type { Surveyed } from "./formats.js";
import { largestIgnored } from "./largest-ignored.js";
import {
	amountOf,
	changeGroups,
	changeOf,
	comparisonSentence,
	exceededPaths,
	exceededSentence,
	instructionName,
	ruleDoubts,
	ruleName,
	signed,
	totalsSentences,
} from "./sentences.js";
import type { TextStyle } from "./text-style.js";
import { type WeightNode, weighTree } from "./weight-tree.js";

const BAR_CELLS = 20;
/** Of lists that are not what was asked for, but come with it. */
const SHORT_LIST = 10;

interface Line {
	readonly text: string;
	readonly paint?: (text: string) => string;
}

/** For a terminal, or a log: sections with a title each. */
export function* formatTable(survey: Surveyed, style: TextStyle): Generator<string, void> {
	const colors = pc.createColors(style.color);
	const { head } = survey;
	const sections: readonly (readonly [title: string, lines: () => Iterable<Line>])[] = [
		[printablePath(head.context), () => totalsSentences(head).map((text) => ({ text }))],
		["Limits", () => limitLines(head).map((line) => ({ ...line, paint: colors.red }))],
		["Cannot be read", () => unreadableLines(head).map((line) => ({ ...line, paint: colors.red }))],
		["Compared", () => comparisonLines(head)],
		["Largest", () => treeLines(survey, style)],
		["By type", () => typeLines(survey, style)],
		["Ignored", () => ignoredLines(survey, style)],
		["Rules", () => doubtLines(head).map((line) => ({ ...line, paint: colors.yellow }))],
		["Needed by the Dockerfile", () => needLines(head)],
		["Advice", () => adviceLines(head)],
		["Secrets", () => secretLines(head).map((line) => ({ ...line, paint: colors.red }))],
	];
	let separator = "";
	for (const [title, lines] of sections) {
		let heading = `${separator}${colors.bold(fit(title, style))}\n`;
		for (const { text, paint = String } of lines()) {
			yield `${heading}${paint(fit(`  ${text}`, style))}\n`;
			heading = "";
			separator = "\n";
		}
	}
}

type Head = Surveyed["head"];

function limitLines({ exceeded = [] }: Head): Line[] {
	return exceeded.map((limit) => ({
		text: `${exceededSentence(limit)}: ${exceededPaths(limit)}`,
	}));
}

function unreadableLines({ unreadable = [] }: Head): Line[] {
	const shown = unreadable
		.slice(0, SHORT_LIST)
		.map(({ reason }) => ({ text: printableName(reason) }));
	return [...shown, ...more(unreadable.length - shown.length)];
}

function comparisonLines({ comparison, totals }: Head): Line[] {
	if (comparison === undefined) return [];
	const lines: Line[] = [{ text: comparisonSentence(comparison, totals) }];
	for (const { name, changes } of changeGroups(comparison)) {
		const sum = signed(changes.bytes, formatBytes);
		lines.push({ text: `${name}: ${formatFiles(changes.files)}, ${sum}` });
		for (const change of changes.largest) {
			lines.push({ text: `  ${changeOf(change).padStart(9)}  ${printablePath(change.path)}` });
		}
		lines.push(...more(changes.files - changes.largest.length));
	}
	return lines;
}

function* treeLines({ files }: Surveyed, { depth, top }: TextStyle): Generator<Line, void> {
	const root = weighTree(files, depth, top);
	yield* branchLines(root, root.bytes, "");
}

function* branchLines(node: WeightNode, whole: number, indent: string): Generator<Line, void> {
	let bytes = 0;
	let files = 0;
	for (const child of node.shown) {
		bytes += child.bytes;
		files += child.files;
		const name = `${indent}${printablePath(child.name)}${child.isDirectory ? "/" : ""}`;
		yield { text: weightLine(child, whole, name) };
		yield* branchLines(child, whole, `${indent}  `);
	}
	const isOpened = node.shown.length > 0;
	if (!isOpened || node.hidden === 0) return;
	const rest = { bytes: node.bytes - bytes, files: node.files - files };
	yield { text: weightLine(rest, whole, `${indent}... ${formatCount(node.hidden)} more`) };
}

function typeLines({ files, head }: Surveyed, { top }: TextStyle): Line[] {
	const types = totalFileTypes(files);
	const limit = Math.min(top, SHORT_LIST);
	const shown = types
		.slice(0, limit)
		.map((type) => ({ text: weightLine(type, head.totals.bytes, printablePath(type.name)) }));
	return [...shown, ...more(types.length - shown.length)];
}

function ignoredLines({ ignored, head }: Surveyed, { top }: TextStyle): Line[] {
	const shown = largestIgnored(ignored, top);
	const lines = shown.map((path) => {
		const name = `${printablePath(path.path)}${path.type === "directory" ? "/" : ""}`;
		const text = weightLine(
			{ files: path.files, bytes: path.size },
			head.totals.ignored.bytes,
			name,
		);
		return { text: `${text}  (${ruleName(head, path.rule)})` };
	});
	return [...lines, ...more(ignored.length - shown.length)];
}

function doubtLines(head: Head): Line[] {
	return ruleDoubts(head).map(({ rule, doubt }) => ({ text: `${rule}: ${doubt}` }));
}

function needLines(head: Head): Line[] {
	const { needs } = head;
	if (needs === null) return [];
	const lines = needs.instructions.map((need, index) => ({
		text: weightLine(need, head.totals.bytes, instructionName(head, index)),
	}));
	return [
		...lines,
		{ text: weightLine(needs.unused, head.totals.bytes, "nobody") },
		...needs.doubts.map((doubt) => ({ text: printableName(doubt) })),
	];
}

function adviceLines({ advice, ignoreFile }: Head): Line[] {
	return advice.flatMap(({ text, lines, ...saved }) => [
		{ text: `${printableName(text)} (${amountOf(saved)})` },
		...lines.map((line) => ({
			text: `  add to ${printablePath(ignoreFile ?? ".dockerignore")}: ${printablePath(line)}`,
		})),
	]);
}

function secretLines({ secrets }: Pick<ContextDocument, "secrets">): Line[] {
	return secrets.map(({ path, what, line }) => ({
		text: `${printablePath(path)}${line === undefined ? "" : `:${line}`}: ${printableName(what)}`,
	}));
}

function more(count: number): Line[] {
	return count > 0 ? [{ text: `... ${formatCount(count)} more` }] : [];
}

/** The name comes last, so that it does not matter how wide it is. */
function weightLine(
	{ bytes, files }: { readonly bytes: number; readonly files: number },
	whole: number,
	name: string,
): string {
	const cells = whole === 0 ? 0 : Math.round((bytes / whole) * BAR_CELLS);
	const bar = "=".repeat(Math.min(BAR_CELLS, Math.max(0, cells))).padEnd(BAR_CELLS);
	return `${formatBytes(bytes).padStart(8)}  ${bar}  ${formatFiles(files).padStart(14)}  ${name}`;
}

function fit(text: string, { width }: TextStyle): string {
	return width === Number.POSITIVE_INFINITY ? text : cutToWidth(text, width);
}
