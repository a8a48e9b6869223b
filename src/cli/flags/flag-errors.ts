import type { Options } from "yargs";
import { parseBoolean } from "../../build/plan/go-values.js";
import { UsageError } from "../../errors.js";
import { suggestion } from "../../suggestion.js";
import { unsupportedValue, useOneOf } from "../../unsupported-value.js";
import type { TypedCommand } from "../commands.js";

/**
 * Refuses unknown flags, missing values and values that a flag does not take. Empty values that docker ignores are gone
 * by now (empty-flags.ts).
 *
 * @throws UsageError
 */
export function checkFlags(typed: TypedCommand): void {
	const { argv, flags } = typed;
	for (const word of argv) {
		if (!word.startsWith("-") || word === "-") continue;
		const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
		const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
		if (flag === undefined) throw unknownFlag(word, typed);
		checkValue(name, flag, value, typed);
	}
}

/** What docker has by another name than the choices here. */
const MISTAKEN: Readonly<Record<string, (value: string) => string | undefined>> = {
	progress: (value) =>
		value === "rawjson" ? "a line of JSON for each event: --progress json" : undefined,
	secrets: (value) =>
		value.includes("=") ? "a secret for the build is given with --secret" : undefined,
};

/** @param value absent: there is none; of a boolean flag, as of "--push" */
function checkValue(name: string, flag: Options, value: string | undefined, typed: TypedCommand) {
	if (name === "builder") {
		throw new UsageError("--builder is not supported: rbuild has no builders", {
			hint: "name the box to build on: --on BOX; rbuild hosts lists them",
		});
	}
	if (flag.type === "boolean") {
		if (value === undefined || parseBoolean(value) !== undefined) return;
		throw new UsageError(`--${name} "${value}" is neither true nor false`, {
			hint: `write it as --${name} or --${name}=false`,
		});
	}
	const choices = flag.choices?.map(String);
	if (value === undefined) {
		throw new UsageError(`--${name} needs a value`, {
			hint: choices ? useOneOf(choices) : `${explained(flag)}; ${seeHelp(typed)}`,
		});
	}
	if (value === "") {
		throw new UsageError(`--${name} has an empty value`, {
			hint: "is a variable not set? Leave the flag out for the default",
		});
	}
	if (choices === undefined || choices.includes(value)) return;
	throw unsupportedValue(`--${name}`, value, choices, MISTAKEN[name]?.(value));
}

/** As the help has it, within a sentence. */
function explained({ describe = "" }: Options): string {
	const text = String(describe);
	return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function unknownFlag(word: string, typed: TypedCommand): UsageError {
	const short = word.startsWith("--") ? undefined : unknownLetter(word, typed);
	const name = short ?? word.slice(2).replace(/=.*$/s, "");
	const shown = Object.entries(typed.flags).flatMap(([flag, { hidden }]) => (hidden ? [] : [flag]));
	const meant = short === undefined ? suggestion(name, shown) : undefined;
	return new UsageError(`unknown flag ${short === undefined ? "--" : "-"}${name}`, {
		hint: meant === undefined ? seeHelp(typed) : `did you mean --${meant}?`,
	});
}

/** The first of "-qxt" that is no flag; normalizeFlags() leaves such words as they are. */
function unknownLetter(word: string, { flags }: TypedCommand): string {
	const letters = new Set(Object.values(flags).map(({ alias }) => alias));
	return [...word.slice(1)].find((letter) => !letters.has(letter)) ?? word.slice(1);
}

function seeHelp({ name }: TypedCommand): string {
	return `see rbuild ${name} --help`;
}
