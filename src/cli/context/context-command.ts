import { openLocalContext } from "../../context/local-context.js";
import { printablePath } from "../../context/tree/path-bytes.js";
import { ContextError, type ExitCode } from "../../errors.js";
import { formatBytes, formatFiles } from "../../render/format.js";
import { shouldUseColor } from "../../render/progress-mode.js";
import type { ContextTotalsDocument, DocumentHead } from "../../survey/context-document.js";
import { exceededPaths, exceededSentence } from "../../survey/format/sentences.js";
import type { TextStyle } from "../../survey/format/text-style.js";
import type { ContextLimits } from "../../survey/limits.js";
import type { OpenSurvey } from "../../survey/open-survey.js";
import { onInterrupt } from "../process/interrupts.js";
import { processScreen, stdoutWidth } from "../process/screen.js";
import { terminalPrompt } from "../process/terminal-prompt.js";
import type { ContextArguments } from "./context-flags.js";
import { parseCount, parseLimit, parseLink } from "./context-values.js";
import { meantContext, surveyOf, warnOf } from "./meant-context.js";
import { offerFix } from "./offer-fix.js";
import { asOpenedPage, showPage } from "./opened-page.js";
import { resultTarget, writeResult } from "./result-target.js";

const DEFAULT_DEPTH = 3;
const DEFAULT_TOP = 20;

/** `rbuild context DIR`: what a build would upload, and why. Needs no daemon. */
export async function runContext(given: ContextArguments): Promise<ExitCode | 0> {
	const values = given.open ? await asOpenedPage(given) : given;
	using interrupts = onInterrupt(() => {});
	const { signal } = interrupts;
	const { format } = values;
	const style = styleOf(values);
	const questions = {
		limits: limitsOf(values),
		linkBitsPerSecond: values.link === undefined ? undefined : parseLink(values.link),
		judged: true,
		compareWith: values.compare,
	};
	await using target = await resultTarget(values.output, format);
	const meant = await meantContext(values.directory, values, signal);
	if (format === "tar") {
		await using context = await openLocalContext(meant.directory, meant.request(), signal);
		// The file that is written must not be in it.
		await context.walked;
		await writeResult(target, context.tar(ignoreProgress), signal);
		if (Object.keys(questions.limits).length === 0) return 0;
	}
	await using survey = await surveyOf(meant, questions, signal);
	let head = await survey.head;
	if (format !== "tar") {
		warnOf(head);
		await writeResult(target, survey.text(format, style), signal);
		if (values.open && values.output !== undefined) await showPage(values.output);
	}
	if (values.fix && (await offersFix(survey, head, { yes: values.yes ?? false, signal }))) {
		await using after = await surveyOf(meant, questions, signal);
		const { totals } = head;
		head = await after.head;
		process.stderr.write(`${gainSentence(totals, head.totals)}\n`);
	}
	failOn(head);
	return 0;
}

function ignoreProgress(): void {}

/** @returns whether the ignore file was written */
async function offersFix(
	{ root, ignore }: OpenSurvey,
	{ advice }: DocumentHead,
	{ yes, signal }: { readonly yes: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
	const { color } = processScreen(undefined);
	const prompt = terminalPrompt(() => undefined);
	const dialog = { output: process.stderr, color, prompt, signal };
	return offerFix({ root, ignore, advice, yes }, dialog);
}

function gainSentence(before: ContextTotalsDocument, after: ContextTotalsDocument): string {
	const files = before.files - after.files;
	const bytes = before.bytes - after.bytes;
	// The ignore file is sent, too, and is new or has grown.
	const less = [
		...(files > 0 ? [formatFiles(files)] : []),
		...(bytes > 0 ? [formatBytes(bytes)] : []),
	];
	const gain = less.length === 0 ? "" : `: ${less.join(", ")} less`;
	return `now ${formatFiles(after.files)}, ${formatBytes(after.bytes)}${gain}`;
}

function limitsOf(values: ContextArguments): ContextLimits {
	const { "max-size": size, "max-files": files, "max-file-size": fileSize } = values;
	return {
		...(size === undefined ? {} : { size: parseLimit(size, "--max-size") }),
		...(files === undefined ? {} : { files: parseCount(files, "--max-files") }),
		...(fileSize === undefined ? {} : { fileSize: parseLimit(fileSize, "--max-file-size") }),
	};
}

function styleOf({ depth, top, all, output, ...values }: ContextArguments): TextStyle {
	const { stdout, env } = process;
	const isTTY = stdout.isTTY === true && output === undefined;
	const limit = (text: string | undefined, flag: string, usual: number) =>
		text === undefined ? (all ? Number.POSITIVE_INFINITY : usual) : parseCount(text, flag);
	return {
		color: shouldUseColor({ flag: values["no-color"] ? false : values.color, isTTY, env }),
		width: output === undefined ? stdoutWidth() : Number.POSITIVE_INFINITY,
		depth: limit(depth, "--depth", DEFAULT_DEPTH),
		top: limit(top, "--top", DEFAULT_TOP),
	};
}

/** @throws ContextError where a build would fail, or a limit is exceeded */
function failOn({ unreadable = [], exceeded = [] }: DocumentHead): void {
	const [first, second] = unreadable;
	if (first !== undefined) {
		const message =
			second === undefined
				? first.reason
				: `cannot read ${unreadable.length} paths in the build context: ${printablePath(first.path)}, ${printablePath(second.path)}${unreadable.length > 2 ? ", …" : ""}`;
		throw new ContextError(message, { hint: "make them readable, or list them in .dockerignore" });
	}
	const [limit] = exceeded;
	if (limit === undefined) return;
	throw new ContextError(exceeded.map(exceededSentence).join("; "), {
		hint: `the largest: ${exceededPaths(limit).join(", ")}`,
	});
}
