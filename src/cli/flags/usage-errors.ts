import { existsSync } from "node:fs";
import { UsageError } from "../../errors.js";
import { suggestion } from "../../suggestion.js";
import { useOneOf } from "../../unsupported-value.js";
import { COMMANDS, type CommandName, type TypedCommand, wordLimits } from "../commands.js";
import { CACHE_ACTIONS } from "../images/image-flags.js";
import { checkFlags } from "./flag-errors.js";

/** What is wrong, and the way out. */
type Finding = readonly [message: string, hint: string];

const MISSING: Partial<Readonly<Record<CommandName, Finding>>> = {
	build: ["no build context was given", "name the directory to build, such as: rbuild . -t app"],
	"context why": ["no path was given", "name a path, such as: rbuild context why src/main.ts"],
	pull: ["no image was given", "name one, such as: rbuild pull app; rbuild images lists them"],
	cache: ["rbuild cache needs a command", useOneOf(CACHE_ACTIONS)],
};

/** Docker's commands that are flags of a build here. */
const FLAGS_ELSEWHERE: readonly string[] = ["push", "save", "load", "tag"];

/**
 * Finds what is wrong with a command line before anything of it is done.
 *
 * @throws UsageError
 */
export function checkCommandLine(typed: TypedCommand): void {
	const { name, isNamed, words, argv } = typed;
	if (!isNamed) checkUnnamed(words, isAsked("help", argv));
	// Both answer whatever else stands there.
	if (isAsked("help", argv) || isAsked("version", argv)) return;
	checkFlags(typed);
	const [least, most] = wordLimits(name);
	if (words.length < least) throw new UsageError(...asError(missing(typed)));
	const surplus = words[most];
	if (surplus !== undefined) throw new UsageError(...asError(tooMany(typed, surplus)));
	const [word = ""] = words;
	if (name === "cache") checkAction(word);
}

/** `rbuild help WORD…`, where there is no such command. */
export function noSuchCommand(word: string): UsageError {
	return new UsageError(`unknown command "${word}" for "rbuild"`, { hint: hintAt(word) });
}

/** `rbuild COMMAND WORD`, where that command has none of that name. */
export function unknownAction(
	command: string,
	word: string,
	actions: readonly string[],
): UsageError {
	const meant = suggestion(word, actions);
	return new UsageError(`unknown command "${word}" for "rbuild ${command}"`, {
		hint: meant === undefined ? useOneOf(actions) : `did you mean: rbuild ${command} ${meant}?`,
	});
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
	const isMeant = suggestion(word, COMMANDS) !== undefined || FLAGS_ELSEWHERE.includes(word);
	if (!isMeant && !wantsHelp && others.length === 0) return;
	throw new UsageError(`"${word}" is neither a directory nor a command`, { hint: hintAt(word) });
}

function hintAt(word: string): string {
	if (FLAGS_ELSEWHERE.includes(word)) return `it is a flag of a build: rbuild . --${word}`;
	const command = suggestion(word, COMMANDS);
	return command === undefined ? "see rbuild --help" : `did you mean: rbuild ${command}?`;
}

function missing({ name, argv }: TypedCommand): Finding {
	const [message = "an argument is missing", hint = `see rbuild ${name} --help`] =
		MISSING[name] ?? [];
	const isVersion = name === "build" && argv.length === 1 && isAsked("verbose", argv);
	return [message, isVersion ? `${hint}; for the version: rbuild --version` : hint];
}

/** @param word the first that is too much */
function tooMany({ name, words }: TypedCommand, word: string): Finding {
	switch (name) {
		case "build":
			return [`unexpected argument "${word}"`, "there is one build context"];
		case "context":
			return [
				`rbuild context takes one directory, and got another: "${word}"`,
				word === "why" || suggestion(words[0] ?? "", ["why"])
					? "did you mean: rbuild context why PATH?"
					: `to ask about a path: rbuild context why ${word}`,
			];
		case "pull":
			return [`rbuild pull takes one image, and got another: "${word}"`, "pull one after another"];
		case "doctor":
		case "images":
			return [
				`rbuild ${name} takes no argument, and got "${word}"`,
				`if that is the box: rbuild ${name} --on ${word}`,
			];
		case "completion":
			return [
				`rbuild completion takes no argument, and got "${word}"`,
				"the shell is taken from SHELL: zsh, fish, else bash",
			];
		default: {
			const command = name === "cache" ? `cache ${words[0]}` : name;
			return [
				`rbuild ${command} takes no argument, and got "${word}"`,
				`see rbuild ${name} --help`,
			];
		}
	}
}

function checkAction(action: string): void {
	if ((CACHE_ACTIONS as readonly string[]).includes(action)) return;
	throw unknownAction("cache", action, CACHE_ACTIONS);
}

function asError([message, hint]: Finding): [string, { hint: string }] {
	return [message, { hint }];
}
