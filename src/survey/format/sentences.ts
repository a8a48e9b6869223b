import { printablePath } from "../../context/tree/path-bytes.js";
import { printableName } from "../../printable.js";
import { formatBytes, formatCount, formatDuration, formatFiles } from "../../render/format.js";
import type {
	Advice,
	ChangedPath,
	ChangedPaths,
	ContextComparison,
	DocumentHead,
	ExceededLimit,
	RuleUse,
} from "../context-document.js";

/** What the formats for people say in the same words. All names in it are printable. */

/** "12 files, 3.4 MB". */
export function amountOf({
	files,
	bytes,
}: {
	readonly files: number;
	readonly bytes: number;
}): string {
	return `${formatFiles(files)}, ${formatBytes(bytes)}`;
}

/** What is advised, and what it would save where that is known. */
export function adviceSentence({ text, files, bytes }: Advice): string {
	const saved = files > 0 ? ` (${amountOf({ files, bytes })})` : "";
	return `${printableName(text)}${saved}`;
}

/** As many as the page shows. */
const ADVISED_PATHS = 3;

/** The largest paths behind it, where no line to add names them. */
export function advisedPaths({ paths, lines }: Advice): readonly string[] {
	return lines.length === 0 ? paths.slice(0, ADVISED_PATHS) : [];
}

/** The first lines: what is sent, what is not, and what that takes. */
export function totalsSentences({ totals, ignoreFile }: DocumentHead): string[] {
	const { ignored, compressed, upload } = totals;
	const by = ignoreFile === null ? "there is no .dockerignore" : `by ${printablePath(ignoreFile)}`;
	const size = `about ${formatBytes(compressed.bytes)} compressed`;
	const time =
		upload && `, ${formatDuration(upload.seconds * 1000)} at ${formatLink(upload.bitsPerSecond)}`;
	const isAll = compressed.sampledBytes === totals.bytes;
	const sample = `estimated${isAll ? "" : ` from ${formatBytes(compressed.sampledBytes)} of it`}`;
	return [
		`${amountOf(totals)} to send`,
		`${amountOf({ files: ignored.files, bytes: ignored.bytes })} ignored (${by})`,
		`${size}${time ?? ""} (${sample})`,
	];
}

/** Such as "20 Mbit/s". */
function formatLink(bitsPerSecond: number): string {
	const [unit, name] =
		bitsPerSecond >= 1e9
			? [1e9, "Gbit/s"]
			: bitsPerSecond >= 1e6
				? [1e6, "Mbit/s"]
				: [1e3, "kbit/s"];
	return `${Number((bitsPerSecond / (unit as number)).toPrecision(3))} ${name}`;
}

/** ".dockerignore:7 !dist/**" */
export function ruleName({ rules, ignoreFile }: DocumentHead, index: number): string {
	const rule = rules[index];
	return `${printablePath(ignoreFile ?? "")}:${rule?.line} ${printablePath(rule?.text ?? "")}`;
}

/** "Dockerfile:12 COPY . ." */
export function instructionName(head: DocumentHead, index: number): string {
	const instruction = head.needs?.instructions[index];
	return `${instructionPlace(head, instruction)} ${printablePath(instruction?.text ?? "")}`;
}

/** "Dockerfile:12" */
export function instructionPlace(
	{ dockerfile }: DocumentHead,
	instruction: { readonly line: number } | undefined,
): string {
	return `${printablePath(dockerfile ?? "Dockerfile")}:${instruction?.line}`;
}

interface RuleDoubt {
	/** The rule with its place, or the places of several. */
	readonly rule: string;
	readonly doubt: string;
}

/** Those with the same doubt, of which a file that is made for every project has many, share a line. */
export function ruleDoubts({ rules, ignoreFile }: DocumentHead): RuleDoubt[] {
	const file = printablePath(ignoreFile ?? "");
	const byDoubt = new Map<string, RuleUse[]>();
	for (const rule of rules) {
		if (rule.doubt === undefined) continue;
		const same = byDoubt.get(rule.doubt);
		if (same === undefined) byDoubt.set(rule.doubt, [rule]);
		else same.push(rule);
	}
	return [...byDoubt].map(([doubt, same]) => {
		const [first, second] = same;
		if (second === undefined) {
			return { rule: `${file}:${first?.line} ${printablePath(first?.text ?? "")}`, doubt };
		}
		return { rule: `${file}, each of lines ${lineRanges(same)}`, doubt };
	});
}

const MOST_RANGES = 10;

/** "3, 5-9, 12" */
function lineRanges(rules: readonly RuleUse[]): string {
	const ranges: { first: number; last: number }[] = [];
	for (const { line } of rules) {
		const range = ranges.at(-1);
		if (range !== undefined && line === range.last + 1) range.last = line;
		else ranges.push({ first: line, last: line });
	}
	const shown = ranges
		.slice(0, MOST_RANGES)
		.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
	return [...shown, ...(ranges.length > MOST_RANGES ? ["..."] : [])].join(", ");
}

/** "the context, 12.3 MB, is 2.3 MB over --max-size 10 MB". */
export function exceededSentence({ limit, found, allowed }: ExceededLimit): string {
	if (limit === "max-files") {
		return `${formatFiles(found)} are ${formatCount(found - allowed)} over --max-files ${formatCount(allowed)}`;
	}
	const what = limit === "max-size" ? "the context" : "the largest file";
	const over = `${formatBytes(found - allowed)} over --${limit} ${formatBytes(allowed)}`;
	return `${what}, ${formatBytes(found)}, is ${over}`;
}

/** The paths behind it, such as "a.bin (12 MB)". */
export function exceededPaths({ limit, largest }: ExceededLimit): string[] {
	return largest.map(({ path, size }) => {
		const amount = limit === "max-files" ? formatFiles(size) : formatBytes(size);
		return `${printablePath(path)} (${amount})`;
	});
}

/** "+12 files and -3.4 MB against before.json". */
export function comparisonSentence(
	{ file, before }: ContextComparison,
	now: { readonly files: number; readonly bytes: number },
): string {
	const files = now.files - before.files;
	const bytes = now.bytes - before.bytes;
	const name = printablePath(file);
	if (files === 0 && bytes === 0) return `as many files and bytes as in ${name}`;
	return `${signed(files, formatFiles)} and ${signed(bytes, formatBytes)} against ${name}`;
}

interface ChangeGroup {
	readonly name: string;
	readonly changes: ChangedPaths;
}

/** Those that are not empty. */
export function changeGroups({ added, grown, shrunk, removed }: ContextComparison): ChangeGroup[] {
	return [
		{ name: "new", changes: added },
		{ name: "grown", changes: grown },
		{ name: "shrunk", changes: shrunk },
		{ name: "gone", changes: removed },
	].filter(({ changes }) => changes.files > 0);
}

/** "+3.4 MB" */
export function changeOf({ before, after }: ChangedPath): string {
	return signed((after ?? 0) - (before ?? 0), formatBytes);
}

export function signed(amount: number, format: (amount: number) => string): string {
	return `${amount < 0 ? "-" : "+"}${format(Math.abs(amount))}`;
}
