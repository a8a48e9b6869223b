import pc from "picocolors";
import { printablePath } from "../../context/tree/path-bytes.js";
import { printableName } from "../../printable.js";
import { displayWidth, shortenMiddle } from "../../render/display-width.js";
import { formatBytes, formatCount, formatFiles } from "../../render/format.js";
import { hangingLines } from "../../render/rows.js";
import type { ContextDocument } from "../context-document.js";
import { totalFileTypes } from "./file-types.js";
import type { Surveyed } from "./formats.js";
import { largestIgnored } from "./largest-ignored.js";
import {
	adviceSentence,
	advisedPaths,
	changeGroups,
	changeOf,
	comparisonSentence,
	exceededPaths,
	exceededSentence,
	instructionPlace,
	ruleDoubts,
	ruleName,
	signed,
	totalsSentences,
} from "./sentences.js";
import type { TextStyle } from "./text-style.js";
import { type WeightRow, weightLines } from "./weight-rows.js";
import { type WeightNode, weighTree } from "./weight-tree.js";

/** Of lists that are not what was asked for, but come with it. */
const SHORT_LIST = 10;
/** Changed paths keep this much of a line, even of one that is shorter than what stands before them. */
const LEAST_PATH_CELLS = 12;

/** Lines that are done, within the width. */
type Lines = Iterable<string>;

/**
 * For a terminal, or a log: sections with a title each. Of what does not fit into a terminal's line, names
 * in rows of numbers are shortened, and all else is wrapped.
 */
export function* formatTable(survey: Surveyed, style: TextStyle): Generator<string, void> {
	const { bold, red, yellow } = pc.createColors(style.color);
	const { head } = survey;
	const { width } = style;
	const sections: readonly (readonly [string, () => Lines, ((text: string) => string)?])[] = [
		[printablePath(head.context), () => sentences(totalsSentences(head), width)],
		["Limits", () => limitLines(head, width), red],
		["Cannot be read", () => unreadableLines(head, width), red],
		["Compared", () => comparisonLines(head, width)],
		["Largest", () => treeLines(survey, style)],
		["By type", () => typeLines(survey, style)],
		["Ignored", () => ignoredLines(survey, style)],
		["Rules", () => sentences(doubts(head), width), yellow],
		["Needed by the Dockerfile", () => needLines(head, width)],
		["Advice", () => adviceLines(head, width)],
		["Secrets", () => secretLines(head, width), red],
	];
	let separator = "";
	for (const [title, lines, paint = String] of sections) {
		let heading = `${separator}${bold(title)}\n`;
		for (const line of lines()) {
			yield `${heading}${paint(line)}\n`;
			heading = "";
			separator = "\n";
		}
	}
}

type Head = Surveyed["head"];

function* limitLines({ exceeded = [] }: Head, width: number): Generator<string, void> {
	for (const limit of exceeded) {
		const paths = exceededPaths(limit).map(
			(path, at, all) => path + (at < all.length - 1 ? "," : ""),
		);
		yield* wrapped([...`${exceededSentence(limit)}:`.split(" "), ...paths], width);
	}
}

function doubts(head: Head): string[] {
	return ruleDoubts(head).map(({ rule, doubt }) => `${rule}: ${doubt}`);
}

function* unreadableLines({ unreadable = [] }: Head, width: number): Generator<string, void> {
	const shown = unreadable.slice(0, SHORT_LIST);
	yield* sentences(
		shown.map(({ reason }) => printableName(reason)),
		width,
	);
	yield* more(unreadable.length - shown.length);
}

function* comparisonLines({ comparison, totals }: Head, width: number): Generator<string, void> {
	if (comparison === undefined) return;
	yield* sentences([comparisonSentence(comparison, totals)], width);
	for (const { name, changes } of changeGroups(comparison)) {
		const sum = signed(changes.bytes, formatBytes);
		yield* sentences([`${name}: ${formatFiles(changes.files)}, ${sum}`], width);
		for (const change of changes.largest) {
			const start = `    ${changeOf(change).padStart(9)}  `;
			const room = Math.max(LEAST_PATH_CELLS, width - displayWidth(start));
			yield start + shortenMiddle(printablePath(change.path), room);
		}
		yield* more(changes.files - changes.largest.length);
	}
}

function treeLines({ files }: Surveyed, { depth, top, width }: TextStyle): Lines {
	const root = weighTree(files, depth, top);
	return weightLines(branchRows(root, ""), root.bytes, width);
}

function* branchRows(node: WeightNode, indent: string): Generator<WeightRow, void> {
	let bytes = 0;
	let files = 0;
	for (const child of node.shown) {
		bytes += child.bytes;
		files += child.files;
		const name = `${printablePath(child.name)}${child.isDirectory ? "/" : ""}`;
		yield { bytes: child.bytes, files: child.files, indent, name };
		yield* branchRows(child, `${indent}  `);
	}
	const isOpened = node.shown.length > 0;
	if (!isOpened || node.hidden === 0) return;
	const name = `... ${formatCount(node.hidden)} more`;
	yield { bytes: node.bytes - bytes, files: node.files - files, indent, name };
}

function* typeLines({ files, head }: Surveyed, { top, width }: TextStyle): Generator<string, void> {
	const types = totalFileTypes(files);
	const shown = types
		.slice(0, Math.min(top, SHORT_LIST))
		.map((type) => ({ ...type, name: printablePath(type.name) }));
	yield* weightLines(shown, head.totals.bytes, width);
	yield* more(types.length - shown.length);
}

function* ignoredLines(
	{ ignored, head }: Surveyed,
	{ top, width }: TextStyle,
): Generator<string, void> {
	const shown = largestIgnored(ignored, top);
	const rows = shown.map(({ path, type, size, files, rule }) => ({
		bytes: size,
		files,
		name: `${printablePath(path)}${type === "directory" ? "/" : ""}`,
		note: ` (${ruleName(head, rule)})`,
	}));
	yield* weightLines(rows, head.totals.ignored.bytes, width);
	yield* more(ignored.length - shown.length);
}

function* needLines(head: Head, width: number): Generator<string, void> {
	const { needs } = head;
	if (needs === null) return;
	const rows: WeightRow[] = needs.instructions.map((need) => ({
		...{ bytes: need.bytes, files: need.files },
		name: instructionPlace(head, need),
		note: printablePath(need.text),
	}));
	yield* weightLines([...rows, { ...needs.unused, name: "nobody" }], head.totals.bytes, width);
	yield* sentences(needs.doubts.map(printableName), width);
}

function* adviceLines({ advice, ignoreFile }: Head, width: number): Generator<string, void> {
	const file = printablePath(ignoreFile ?? ".dockerignore");
	for (const one of advice) {
		yield* sentences([adviceSentence(one)], width);
		for (const line of one.lines) {
			const words = ["add", "to", `${file}:`, printablePath(line)];
			yield* hangingLines("    ", words, { width, indent: 6 });
		}
		const paths = advisedPaths(one);
		for (const path of paths) {
			yield* hangingLines("    ", [printablePath(path)], { width, indent: 6 });
		}
		if (paths.length > 0) yield* more(one.files - paths.length, "    ");
	}
}

function* secretLines(
	{ secrets }: Pick<ContextDocument, "secrets">,
	width: number,
): Generator<string, void> {
	for (const { path, what, line } of secrets) {
		const place = `${printablePath(path)}${line === undefined ? "" : `:${line}`}:`;
		yield* wrapped([place, ...printableName(what).split(" ")], width);
	}
}

function* sentences(texts: Iterable<string>, width: number): Generator<string, void> {
	for (const text of texts) yield* wrapped(text.split(" "), width);
}

/** What is read, and in part copied: nothing of it is left out. A path may be one word, with blanks in it. */
function wrapped(words: readonly string[], width: number): string[] {
	return hangingLines("  ", words, { width, indent: 4 });
}

function more(count: number, indent = "  "): string[] {
	return count > 0 ? [`${indent}... ${formatCount(count)} more`] : [];
}
