import { type IgnoreLine, readIgnoreFile } from "../context/ignore/ignore-file.js";
import { type IgnoreRule, IgnoreRules } from "../context/ignore/ignore-rules.js";
import type { ContextEntry } from "../context/tree/manifest.js";
import { printablePath } from "../context/tree/path-bytes.js";
import { ContextError } from "../errors.js";
import type { RuleRecord } from "./walk-record.js";
import type { WalkedContext } from "./walked-context.js";

/** Rules times paths that may be tried to find out why rules decide nothing: about half a second. */
const MOST_TRIALS = 10_000_000;

/** Patterns without these are looked up, not tried. */
const WILDCARD = /[*?[\]\\]/;

/**
 * What is doubtful about the rules of an ignore file, for people, by the index of the rule: those that
 * decide nothing, and why, and those that somebody who knows .gitignore may read otherwise.
 */
export function findRuleDoubts(
	walked: WalkedContext,
	records: readonly RuleRecord[],
	sentBy: ReadonlyMap<ContextEntry, number>,
): Map<number, string> {
	const { ignore } = walked;
	if (ignore === undefined) return new Map();
	const lines = readIgnoreFile(ignore.content, ignore.file);
	return new Map([
		...idleRules(walked, lines, records),
		...slashesWithoutMeaning(walked, lines),
		...misreadRules(walked, lines, sentBy),
	]);
}

/** Rules that were never the last to fit a path. */
function idleRules(
	walked: WalkedContext,
	lines: readonly IgnoreLine[],
	records: readonly RuleRecord[],
): Map<number, string> {
	const doubts = new Map<number, string>();
	const silent: number[] = [];
	for (const [index, { decided, overruledBy }] of records.entries()) {
		if (decided) continue;
		if (overruledBy === undefined) silent.push(index);
		else doubts.set(index, overruled(overruledBy));
	}
	const fitting = rulesThatFit(walked, lines, silent);
	const closed = new Map(
		walked.ignored.flatMap(({ path, type, rule }) =>
			type === "directory" ? [[path, rule] as const] : [],
		),
	);
	for (const index of silent) {
		const line = lines[index] as IgnoreLine;
		doubts.set(
			index,
			fitting === undefined ? "decides nothing" : silence(line, fitting.get(index), closed, lines),
		);
	}
	return doubts;
}

function overruled({ line }: IgnoreRule): string {
	return line === undefined
		? "has no effect: what it fits is always sent, as the build needs it"
		: `has no effect: line ${line} comes later and decides otherwise for all that it fits`;
}

/** @param closed directories that are not entered, and the indexes of the rules that say so */
function silence(
	{ pattern, negated, text }: IgnoreLine,
	fits: Fit | undefined,
	closed: ReadonlyMap<string, number>,
	lines: readonly IgnoreLine[],
): string {
	if (fits !== undefined) {
		if (negated && fits.leftOutBy !== undefined) {
			return `comes too early: line ${lines[fits.leftOutBy]?.line} leaves out again what it fits`;
		}
		return negated
			? "has no effect: nothing that it fits was left out by a line before it"
			: "has no effect: all that it fits is left out by other lines";
	}
	for (let end = pattern.indexOf("/"); end >= 0; end = pattern.indexOf("/", end + 1)) {
		const directory = pattern.slice(0, end);
		const rule = closed.get(directory);
		if (rule === undefined) continue;
		const whole = `${printablePath(directory)} is left out as a whole by line ${lines[rule]?.line}`;
		return `has no effect: ${whole}`;
	}
	if (/\s#/.test(text)) return "matches nothing: a comment has to be on a line of its own";
	// On Windows, it has none.
	if (pattern.includes("\\")) {
		return "matches nothing: folders are separated by /, and \\ takes away the meaning of what follows";
	}
	return "matches nothing";
}

/** What a rule that decides nothing fits. */
interface Fit {
	/** The index of a later rule that leaves out some of it. */
	readonly leftOutBy: number | undefined;
}

/**
 * Which of these rules fit a path that was met, although the walk had no reason to try them. Undefined
 * where that would take too long to find out.
 */
function rulesThatFit(
	{ entries, ignored }: WalkedContext,
	lines: readonly IgnoreLine[],
	indexes: readonly number[],
): Map<number, Fit> | undefined {
	const wild = indexes.filter((index) => WILDCARD.test(lines[index]?.pattern ?? ""));
	if (wild.length * (entries.length + ignored.length) > MOST_TRIALS) return undefined;
	const search = new PatternSearch(indexes.map((index) => [index, lines[index]?.pattern ?? ""]));
	const fitting = new Map<number, Fit>();
	for (const { path, rule } of ignored) {
		for (const index of search.fitting(path)) {
			if (fitting.get(index)?.leftOutBy !== undefined) continue;
			fitting.set(index, { leftOutBy: rule > index ? rule : undefined });
		}
	}
	for (const { path } of entries) {
		for (const index of search.fitting(path)) {
			if (!fitting.has(index)) fitting.set(index, { leftOutBy: undefined });
		}
	}
	return fitting;
}

/**
 * In a .gitignore, a pattern without a slash fits in every folder; in a .dockerignore at the top only.
 * That is no matter unless there is something further down that git would have judged otherwise.
 */
function misreadRules(
	{ entries, ignored }: WalkedContext,
	lines: readonly IgnoreLine[],
	sentBy: ReadonlyMap<ContextEntry, number>,
): Map<number, string> {
	const sent = new DeepMatches(lines, ({ negated }) => !negated);
	for (const entry of sent.isIdle ? [] : entries) {
		sent.add(entry.path, entry.type === "directory" ? 0 : 1, sentBy.get(entry));
	}
	const leftOut = new DeepMatches(lines, ({ negated }) => negated);
	for (const { path, files, rule } of leftOut.isIdle ? [] : ignored) leftOut.add(path, files, rule);
	const doubts = new Map<number, string>();
	for (const [index, files] of [...sent.files, ...leftOut.files]) {
		const { negated, pattern } = lines[index] as IgnoreLine;
		const count = files === 1 ? "1 file" : `${files.toLocaleString("en-US")} files`;
		const verdict = `${files === 1 ? "is" : "are"} ${negated ? "left out" : "sent"}`;
		const meant = printablePath(`${negated ? "!" : ""}**/${pattern}`);
		doubts.set(
			index,
			`fits at the top level only, and ${count} further down ${verdict}: did you mean ${meant}?`,
		);
	}
	return doubts;
}

/** A slash at the end says "folders only" to git, and nothing to docker. */
function slashesWithoutMeaning(
	{ ignored }: WalkedContext,
	lines: readonly IgnoreLine[],
): Map<number, string> {
	const doubts = new Map<number, string>();
	for (const { path, type, rule } of ignored) {
		const line = lines[rule];
		if (type === "directory" || line?.pattern !== path || !line.text.endsWith("/")) continue;
		doubts.set(rule, "leaves out a file: the slash at its end does not mean folders only");
	}
	return doubts;
}

/** Files below the top level that rules would fit if they were those of a .gitignore. */
class DeepMatches {
	/** How many, by the index of the rule. */
	readonly files = new Map<number, number>();
	readonly #search: PatternSearch;
	/** The folders that fit and that the walk is in. */
	#inside: { readonly index: number; readonly prefix: string }[] = [];

	constructor(lines: readonly IgnoreLine[], isMeant: (line: IgnoreLine) => boolean) {
		const meant = [...lines.entries()].filter(
			([, line]) => isMeant(line) && isForEveryFolder(line),
		);
		this.#search = new PatternSearch(meant.map(([index, { pattern }]) => [index, `**/${pattern}`]));
	}

	get isIdle(): boolean {
		return this.#search.isIdle;
	}

	/**
	 * To be called in the order of a walk.
	 * @param decidedBy the index of the rule; what a later rule decides is so on purpose
	 */
	add(path: string, files: number, decidedBy = -1): void {
		if (this.#inside.length > 0) {
			this.#inside = this.#inside.filter(({ prefix }) => path.startsWith(prefix));
		}
		if (!path.includes("/")) return;
		for (const index of this.#search.fitting(path)) {
			if (this.#inside.every((folder) => folder.index !== index)) {
				this.#inside.push({ index, prefix: `${path}/` });
				if (decidedBy <= index) this.#count(index, files);
			}
		}
		for (const { index, prefix } of this.#inside) {
			if (path.length >= prefix.length && decidedBy <= index) this.#count(index, files);
		}
	}

	#count(index: number, files: number): void {
		if (files > 0) this.files.set(index, (this.files.get(index) ?? 0) + files);
	}
}

function isForEveryFolder({ text, negated, pattern }: IgnoreLine): boolean {
	const written = negated ? text.slice(1).trimStart() : text;
	return !/^[./]*\//.test(written) && !pattern.includes("/") && !/^(?:\*+|\.|!.*)$/.test(pattern);
}

/** Patterns that are looked for by themselves, without what others make of the same path. */
class PatternSearch {
	readonly #rules: IgnoreRules;
	readonly #indexes = new Map<IgnoreRule, number>();

	constructor(patterns: readonly (readonly [index: number, pattern: string])[]) {
		const usable = patterns.filter(([, pattern]) => isUsable(pattern));
		this.#rules = IgnoreRules.of(
			usable.map(([, pattern]) => pattern),
			"",
		);
		for (const [at, rule] of this.#rules.rules.entries()) {
			this.#indexes.set(rule, (usable[at] as (typeof usable)[number])[0]);
		}
	}

	get isIdle(): boolean {
		return this.#indexes.size === 0;
	}

	fitting(path: string): number[] {
		return this.#rules.fitting(path).map((rule) => this.#indexes.get(rule) as number);
	}
}

/** Some patterns can be seen to be broken only when they are tried. */
function isUsable(pattern: string): boolean {
	if (pattern.startsWith("!")) return false;
	if (!WILDCARD.test(pattern)) return true;
	try {
		IgnoreRules.of([pattern], "").fitting("");
		return true;
	} catch (error) {
		if (error instanceof ContextError) return false;
		throw error;
	}
}
