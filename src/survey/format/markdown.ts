import { printablePath } from "../../context/tree/path-bytes.js";
import { printableName } from "../../printable.js";
import { formatBytes, formatCount, formatFiles, formatShare } from "../../render/format.js";
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
	instructionName,
	ruleDoubts,
	ruleName,
	signed,
	totalsSentences,
} from "./sentences.js";
import type { TextStyle } from "./text-style.js";
import { type WeightNode, weighTree } from "./weight-tree.js";

const SHORT_LIST = 10;

type Head = Surveyed["head"];

/** GitHub Flavored Markdown, for a step summary or a comment. */
export function* formatMarkdown(survey: Surveyed, style: TextStyle): Generator<string, void> {
	const { head } = survey;
	yield `## Build context ${code(printablePath(head.context))}\n\n`;
	yield list(totalsSentences(head).map(words));
	yield* section("Limits", exceededItems(head));
	yield* section("Cannot be read", unreadableItems(head));
	yield* section("Compared", comparisonItems(head));
	yield* tableSection("Largest", "path", treeRows(survey, style));
	yield* tableSection("By type", "type", typeRows(survey, style));
	yield* tableSection("Ignored", "path", ignoredRows(survey, style));
	yield* section("Rules", ruleItems(head));
	yield* tableSection("Needed by the Dockerfile", "instruction", needRows(head));
	yield* section("Doubts about what is needed", (head.needs?.doubts ?? []).map(words));
	yield* section("Advice", adviceItems(head));
	yield* section("Secrets", secretItems(head));
}

function* section(title: string, items: readonly string[]): Generator<string, void> {
	if (items.length > 0) yield `\n### ${title}\n\n${list(items)}`;
}

interface Row {
	readonly bytes: number;
	readonly files: number;
	/** Markdown already. */
	readonly name: string;
}

function* tableSection(
	title: string,
	column: string,
	rows: Iterable<Row>,
): Generator<string, void> {
	let heading = `\n### ${title}\n\n| size | files | ${column} |\n| --: | --: | :-- |\n`;
	for (const { bytes, files, name } of rows) {
		yield `${heading}| ${formatBytes(bytes)} | ${formatCount(files)} | ${name} |\n`;
		heading = "";
	}
}

function exceededItems({ exceeded = [] }: Head): string[] {
	return exceeded.map((limit) =>
		words(`${exceededSentence(limit)}: ${exceededPaths(limit).join(", ")}`),
	);
}

function unreadableItems({ unreadable = [] }: Head): string[] {
	const shown = unreadable.slice(0, SHORT_LIST).map(({ reason }) => words(printableName(reason)));
	return [...shown, ...more(unreadable.length - shown.length)];
}

function comparisonItems({ comparison, totals }: Head): string[] {
	if (comparison === undefined) return [];
	const groups = changeGroups(comparison).map(({ name, changes }) => {
		const sum = `${name}: ${formatFiles(changes.files)}, ${signed(changes.bytes, formatBytes)}`;
		const paths = changes.largest.map(
			(change) => `  - ${words(changeOf(change))} ${code(printablePath(change.path))}`,
		);
		return [words(sum), ...paths].join("\n");
	});
	return [words(comparisonSentence(comparison, totals)), ...groups];
}

function treeRows({ files }: Surveyed, { depth, top }: TextStyle): Iterable<Row> {
	const root = weighTree(files, depth, top);
	return branchRows(root, root.bytes, "");
}

function* branchRows(node: WeightNode, whole: number, parent: string): Generator<Row, void> {
	for (const child of node.shown) {
		const path = `${parent}${child.name}${child.isDirectory ? "/" : ""}`;
		const share = whole > 0 && child.bytes > 0 ? ` ${formatShare(child.bytes, whole)}` : "";
		yield { ...child, name: `${code(printablePath(path))}${share}` };
		yield* branchRows(child, whole, path);
	}
}

function typeRows({ files }: Surveyed, { top }: TextStyle): Row[] {
	return totalFileTypes(files)
		.slice(0, Math.min(top, SHORT_LIST))
		.map(({ name, ...total }) => ({ ...total, name: code(printablePath(name)) }));
}

function ignoredRows({ ignored, head }: Surveyed, { top }: TextStyle): Row[] {
	return largestIgnored(ignored, top).map(({ path, type, files, size, rule }) => {
		const name = code(printablePath(`${path}${type === "directory" ? "/" : ""}`));
		return { files, bytes: size, name: `${name} by ${code(ruleName(head, rule))}` };
	});
}

function ruleItems(head: Head): string[] {
	return ruleDoubts(head).map(({ rule, doubt }) => `${code(rule)}: ${words(doubt)}`);
}

function needRows(head: Head): Row[] {
	if (head.needs === null) return [];
	const { instructions, unused } = head.needs;
	const rows = instructions.map(({ files, bytes }, index) => {
		return { files, bytes, name: code(instructionName(head, index)) };
	});
	return [...rows, { ...unused, name: "nobody" }];
}

function adviceItems({ advice, ignoreFile }: Head): string[] {
	return advice.map((one) => {
		const file = code(printablePath(ignoreFile ?? ".dockerignore"));
		const added = one.lines.map((line) => `  - add to ${file}: ${code(printablePath(line))}`);
		const paths = advisedPaths(one);
		const others = paths.length === 0 ? [] : more(one.files - paths.length);
		const named = [...paths.map((path) => code(printablePath(path))), ...others];
		const items = [...added, ...named.map((item) => `  - ${item}`)];
		return [words(adviceSentence(one)), ...items].join("\n");
	});
}

function secretItems({ secrets }: Head): string[] {
	return secrets.map(({ path, what, line }) => {
		const place = `${printablePath(path)}${line === undefined ? "" : `:${line}`}`;
		return `${code(place)}: ${words(printableName(what))}`;
	});
}

function more(count: number): string[] {
	return count > 0 ? [`and ${formatCount(count)} more`] : [];
}

function list(items: readonly string[]): string {
	return items.map((item) => `- ${item}\n`).join("");
}

/** As HTML, for in backticks there is no way to write a "|" in a table, or a backtick. */
function code(text: string): string {
	return `<code>${words(text)}</code>`;
}

/** Text that is nothing but text: all that could be markup is a character reference (CommonMark, 2.5). */
function words(text: string): string {
	return text
		.replace(/[!-~]/g, (character) =>
			/[\w\s.,:;/()%+-]/.test(character) && character !== "_" ? character : reference(character),
		)
		.replace(/www\.|:\/\//gi, (link) => `${link.slice(0, -1)}${reference(link.slice(-1))}`);
}

function reference(character: string): string {
	return `&#${character.charCodeAt(0)};`;
}
