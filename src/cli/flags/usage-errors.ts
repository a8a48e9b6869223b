import { existsSync } from "node:fs";
import { UsageError } from "../../errors.js";
import { suggestion } from "../../suggestion.js";
import { type Finding, takesNoArgument } from "../command.js";
import { COMMAND_NAMES, type TypedCommand } from "../commands.js";
import { checkFlags } from "./flag-errors.js";
import { unknownAction } from "./unknown-action.js";

/** Docker's commands that are flags of a build here. */
const FLAGS_ELSEWHERE: readonly string[] = ["push", "save", "load", "tag"];

/**
 * Finds what is wrong with a command line before anything of it is done.
 *
 * @throws UsageError
 */
export function checkCommandLine(typed: TypedCommand): void {
	const { name, command, isNamed, words, argv } = typed;
	if (!isNamed) checkUnnamed(words, isAsked("help", argv));
	// Both answer whatever else stands there.
	if (isAsked("help", argv) || isAsked("version", argv)) return;
	checkFlags(typed);
	const [least, most] = command.words;
	if (words.length < least) throw new UsageError(...asError(missing(typed)));
	const surplus = words[most];
	if (surplus !== undefined) {
		const finding = command.tooMany?.(surplus, words) ?? takesNoArgument(name, surplus);
		throw new UsageError(...asError(finding));
	}
	const { actions } = command;
	const [word = ""] = words;
	if (actions?.includes(word) === false) throw unknownAction(name, word, actions);
}

/** `rbuild help WORD…`, where there is no such command. */
export function noSuchCommand(word: string): UsageError {
	return new UsageError(`unknown command "${word}" for "rbuild"`, { hint: hintAt(word) });
}

/** @param flag without dashes */
export function isAsked(flag: string, argv: readonly string[]): boolean {
	return argv.includes(`--${flag}`);
}

/**
 * `rbuild contxt` asks for a folder of that name; where there is none, it may be a slip. `rbuild run app` is one.
 *
 * @param wantsHelp with `rbuild push --help`, a command is meant in any case
 */
function checkUnnamed([word = "", ...others]: readonly string[], wantsHelp: boolean): void {
	if (!/^[a-z]+$/.test(word) || existsSync(word)) return;
	const isMeant = suggestion(word, COMMAND_NAMES) !== undefined || FLAGS_ELSEWHERE.includes(word);
	if (!isMeant && !wantsHelp && others.length === 0) return;
	throw new UsageError(`"${word}" is neither a directory nor a command`, { hint: hintAt(word) });
}

function hintAt(word: string): string {
	if (FLAGS_ELSEWHERE.includes(word)) return `it is a flag of a build: rbuild . --${word}`;
	const command = suggestion(word, COMMAND_NAMES);
	return command === undefined ? "see rbuild --help" : `did you mean: rbuild ${command}?`;
}

function missing({ name, command, argv }: TypedCommand): Finding {
	const [message, hint] = command.missing ?? [
		"an argument is missing",
		`see rbuild ${name} --help`,
	];
	const isVersion = name === "build" && argv.length === 1 && isAsked("verbose", argv);
	return [message, isVersion ? `${hint}; for the version: rbuild --version` : hint];
}

function asError([message, hint]: Finding): [string, { hint: string }] {
	return [message, { hint }];
}
