import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { printablePath } from "../../context/tree/path-bytes.js";
import { pathWithin } from "../../context/tree/path-within.js";
import { ContextError, type ExitCode } from "../../errors.js";
import { hangingLines } from "../../render/rows.js";
import { describeVerdict } from "../../survey/format/verdict-text.js";
import { onInterrupt } from "../process/interrupts.js";
import { stdoutWidth } from "../process/screen.js";
import type { WhyArguments } from "./context-flags.js";
import { meantContext, surveyOf, warnOf } from "./meant-context.js";

/** `rbuild context why PATH…`: for each path whether it would be sent, and which line says so. */
export async function runWhy(values: WhyArguments): Promise<ExitCode | 0> {
	using interrupts = onInterrupt(() => {});
	const { signal } = interrupts;
	const meant = await meantContext(values.context, values, signal);
	const questions = {
		limits: {},
		linkBitsPerSecond: undefined,
		judged: false,
		compareWith: undefined,
	};
	await using survey = await surveyOf(meant, questions, signal);
	const paths = await Promise.all(values.paths.map((path) => pathInContext(survey.root, path)));
	const verdicts = await survey.verdicts(paths);
	const head = await survey.head;
	warnOf(head);
	const lines = verdicts.flatMap((verdict) => describeVerdict(verdict, head).split("\n"));
	process.stdout.write(lines.flatMap(wrapped).join(""));
	const missing = verdicts.filter(({ kind }) => kind === "missing");
	if (missing.length === 0) return 0;
	const names = missing.map(({ path }) => printablePath(path)).join(", ");
	throw new ContextError(`not in the build context: ${names}`, {
		hint: `paths are relative to ${printablePath(survey.root)}, or to the current directory`,
	});
}

function wrapped(line: string): string[] {
	const [start = ""] = /^ */.exec(line) ?? [];
	const words = line.slice(start.length).split(" ");
	const style = { width: stdoutWidth(), indent: start.length + 4 };
	return hangingLines(start, words, style).map((part) => `${part}\n`);
}

/**
 * Relative to the context where it is there, else to the working directory. "/"-separated; what is
 * outside of the context starts with "..".
 */
async function pathInContext(root: string, argument: string): Promise<string> {
	const meant = resolve(root, argument);
	const elsewhere = resolve(argument);
	const folder = await realpath(dirname(elsewhere)).catch(() => dirname(elsewhere));
	for (const place of [meant, join(folder, basename(elsewhere))]) {
		const path = pathWithin(root, place);
		if (path !== undefined && (await exists(place))) return path;
	}
	return relative(root, meant).replaceAll(sep, "/");
}

async function exists(path: string): Promise<boolean> {
	return lstat(path).then(
		() => true,
		() => false,
	);
}
