import type { Colors } from "picocolors/types.js";
import type { PlatformNews, WarningEvent } from "../events.js";
import { printableLine, printableName } from "../printable.js";
import { ofPlatform } from "./platform-names.js";
import type { Failure } from "./renderer.js";

/** What people see of a failure; the message comes last, where the eye is. */
export function failureLines(failure: Failure, colors: Colors): string[] {
	return [
		...logTailLines(failure.logTail ?? [], colors),
		...(failure.position === undefined ? [] : [positionLine(failure.position, colors)]),
		`${colors.bold(colors.red("error:"))} ${printableName(failure.message)}`,
		...hintLines(failure.hint, colors),
	];
}

export function warningLines(
	event: PlatformNews & Pick<WarningEvent, "message" | "hint">,
	colors: Colors,
): string[] {
	return [
		`${colors.yellow("warning:")} ${ofPlatform(event, printableName(event.message))}`,
		...hintLines(event.hint, colors),
	];
}

function hintLines(hint: string | undefined, colors: Colors): string[] {
	if (!hint) return [];
	return hint.split("\n").map((line) => `${colors.cyan("hint:")} ${printableLine(line)}`);
}

function logTailLines(tail: readonly string[], colors: Colors): string[] {
	if (tail.length === 0) return [];
	const title = tail.length === 1 ? "last line" : `last ${tail.length} lines`;
	return [
		colors.dim(`------ ${title} of output`),
		...tail.map((line) => ` > ${printableLine(line)}`),
		colors.dim("------"),
	];
}

function positionLine(
	{ file, line, text }: NonNullable<Failure["position"]>,
	colors: Colors,
): string {
	return `${colors.bold(`${printableName(file)}:${line}`)}  >>> ${printableName(text)}`;
}
