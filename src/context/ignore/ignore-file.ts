import * as os from "node:os";
import { posix } from "node:path";
import { ContextError } from "../../errors.js";
import { trimSpace } from "../../trim-space.js";
import { fromBytes, printablePath, toBytes } from "../tree/path-bytes.js";

/** A line of an ignore file that states a rule. */
export interface IgnoreLine {
	/** Counted from 1. */
	readonly line: number;
	/** The rule as it was written, without the blanks around it. */
	readonly text: string;
	readonly negated: boolean;
	/** What the rule matches: cleaned, relative to the context, without the "!". */
	readonly pattern: string;
}

const BOM = "\uFEFF";

/** bufio.MaxScanTokenSize: docker's reader gives up on a line of so many bytes. */
const TOO_LONG = 64 * 1024;

/**
 * Reads the rules of a .dockerignore, as moby/patternmatcher does in two passes: ignorefile.ReadAll,
 * which BuildKit's frontend runs, and patternmatcher.New, which its client runs on the outcome. The
 * second pass trims and cleans once more, "!" included: hence "/ a" is "a", and "!/" is a lone "!".
 *
 * Both the content as a string and the patterns are in the encoding of path-bytes.ts.
 *
 * @throws ContextError `FILE:LINE: ...`
 */
export function readIgnoreFile(
	content: Uint8Array | string,
	file: string,
	platform: NodeJS.Platform = os.platform(),
): IgnoreLine[] {
	const rules: IgnoreLine[] = [];
	const lines = (typeof content === "string" ? content : fromBytes(content)).split("\n");
	for (const [index, written] of lines.entries()) {
		const line = index + 1;
		const place = `${file}:${line}`;
		if (isTooLong(written)) {
			throw new ContextError(`${place}: the line is longer than docker reads (64 KiB)`, {
				hint: "split it into several rules",
			});
		}
		const unmarked = line === 1 && written.startsWith(BOM) ? written.slice(1) : written;
		if (unmarked.startsWith("#")) continue;
		const text = trimSpace(unmarked);
		const rule = secondPass({ line, text }, text === "" ? "" : firstPass(text), place, platform);
		if (rule !== undefined) rules.push(rule);
	}
	return rules;
}

/**
 * Reads patterns that have been through the first pass, as BuildKit's frontend hands them to its
 * client.
 *
 * @param source where they are from, for messages
 * @throws ContextError `SOURCE: ...`
 */
export function readPatterns(
	patterns: readonly string[],
	source: string,
	platform: NodeJS.Platform = os.platform(),
): IgnoreLine[] {
	return patterns.flatMap((text, index) => {
		return secondPass({ line: index + 1, text }, text, source, platform) ?? [];
	});
}

function isTooLong(line: string): boolean {
	return line.length * 3 >= TOO_LONG && toBytes(line).length >= TOO_LONG;
}

/** ignorefile.ReadAll */
function firstPass(text: string): string {
	const bang = text.startsWith("!") ? "!" : "";
	let pattern = bang === "" ? text : trimSpace(text.slice(1));
	if (pattern !== "") {
		pattern = clean(pattern);
		if (pattern.length > 1 && pattern.startsWith("/")) pattern = pattern.slice(1);
	}
	return bang + pattern;
}

/** patternmatcher.New, which is the client's: where that runs on Windows, a "\\" separates and nothing escapes. */
function secondPass(
	written: Pick<IgnoreLine, "line" | "text">,
	passed: string,
	place: string,
	platform: NodeJS.Platform,
): IgnoreLine | undefined {
	const trimmed = trimSpace(passed);
	if (trimmed === "") return undefined;
	const pattern = clean(platform === "win32" ? trimmed.replaceAll("\\", "/") : trimmed);
	if (pattern === "!") {
		throw new ContextError(
			`${place}: ${printablePath(written.text)} has no pattern after the "!"`,
			{
				hint: "name what to send after all, as in !README.md, or remove the line",
			},
		);
	}
	const negated = pattern.startsWith("!");
	return { ...written, negated, pattern: negated ? pattern.slice(1) : pattern };
}

/** Go's filepath.Clean, which unlike Node drops the slash at the end. */
function clean(path: string): string {
	const normal = posix.normalize(path);
	return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}
