import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import picocolors from "picocolors";
import { replaceFile } from "../../disk/replacement-file.js";
import type { Prompt } from "../../environment.js";
import { ContextError, UsageError } from "../../errors.js";
import { printableLine, printableName } from "../../printable.js";
import {
	diffLines,
	fixIgnoreFile,
	type IgnoreFileFix,
} from "../../survey/advice/ignore-file-fix.js";
import type { Advice } from "../../survey/context-document.js";
import { systemReason } from "../../system-reason.js";

/** `rbuild context --fix`, on a directory. */
interface FixRequest {
	/** The context, absolute. */
	readonly root: string;
	/** The ignore file that applies; absent: a .dockerignore is made. */
	readonly ignore: { readonly content: Uint8Array; readonly file: string } | undefined;
	readonly advice: readonly Advice[];
	/** --yes: do not ask. */
	readonly yes: boolean;
}

/** Who is shown the change and asked. */
interface FixDialog {
	readonly output: Writable;
	readonly color: boolean;
	/** Undefined where there is nobody to ask. */
	readonly prompt: Prompt | undefined;
	readonly signal: AbortSignal;
}

/**
 * Shows what would be added to the ignore file, and adds it if that is what the user wants.
 *
 * @returns whether it was written
 * @throws UsageError where nobody can be asked; ContextError; the signal's reason
 */
export async function offerFix(request: FixRequest, dialog: FixDialog): Promise<boolean> {
	const file = request.ignore?.file ?? ".dockerignore";
	const name = printableName(file);
	const fix = fixIgnoreFile(request.ignore?.content, request.advice);
	const say = (text: string) => dialog.output.write(`${text}\n`);
	if (fix === undefined) {
		say(`nothing to add to ${name}`);
		return false;
	}
	for (const line of diffLines(fix, file)) say(paint(printableLine(line), dialog.color));
	if (!request.yes && !(await isAgreed(`Write this to ${name}? [y/N] `, dialog))) {
		say(`${name} is unchanged`);
		return false;
	}
	await replace(resolve(request.root, file), name, fix);
	return true;
}

function paint(line: string, color: boolean): string {
	const colors = picocolors.createColors(color);
	if (line.startsWith("+") && !line.startsWith("+++")) return colors.green(line);
	return line.startsWith("@@") ? colors.cyan(line) : line;
}

async function isAgreed(question: string, { prompt, signal }: FixDialog): Promise<boolean> {
	if (prompt === undefined) {
		throw new UsageError("--fix needs a terminal to ask on, and wrote nothing", {
			hint: "add --yes to write without asking",
		});
	}
	// An end of input is no answer, and no consent.
	const answer = (await prompt.ask(question, { signal })) ?? "";
	return /^\s*y(?:es)?\s*$/i.test(answer);
}

async function replace(
	path: string,
	name: string,
	{ before, after }: IgnoreFileFix,
): Promise<void> {
	try {
		const current = await readFile(path).catch((error: NodeJS.ErrnoException) => {
			if (error.code === "ENOENT") return Buffer.alloc(0);
			throw error;
		});
		if (!current.equals(before)) {
			throw new ContextError(`${name} has changed meanwhile`, { hint: "run the command again" });
		}
		await replaceFile(path, after);
	} catch (error) {
		if (error instanceof ContextError) throw error;
		const { cause = error } = error as Error;
		throw new ContextError(`cannot write ${name}: ${systemReason(cause)}`, {
			hint: "add the lines above to it yourself, or make it writable",
			cause: error,
		});
	}
}
