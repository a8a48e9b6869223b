import { ANSWERS, HELP_COMMAND, VERSION_COMMAND } from "./answers.js";
import { BUILD } from "./build/build.js";
import type { Command, Flags } from "./command.js";
import { COMPLETION } from "./completion/completion.js";
import { CONTEXT } from "./context/context.js";
import { DOCTOR } from "./doctor/doctor.js";
import { normalizeFlags } from "./flags/command-line.js";
import { withoutEmptyFlags } from "./flags/empty-flags.js";
import { GENERAL_FLAGS } from "./flags/general-flags.js";
import { HOSTS } from "./hosts/hosts.js";
import { CACHE } from "./images/cache.js";
import { IMAGES } from "./images/images.js";
import { PULL } from "./images/pull.js";

const COMMON_FLAGS: Flags = { ...GENERAL_FLAGS, ...ANSWERS };

/** Meant where a command line names none. */
export const DEFAULT_COMMAND = "build";

/** In the order of the help. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map([
	[DEFAULT_COMMAND, BUILD],
	["context", CONTEXT],
	["doctor", DOCTOR],
	["hosts", HOSTS],
	["pull", PULL],
	["images", IMAGES],
	["cache", CACHE],
	["completion", COMPLETION],
	["help", HELP_COMMAND],
	["version", VERSION_COMMAND],
]);

/** What may stand first in a command line. */
export const COMMAND_NAMES: readonly string[] = [...COMMANDS.keys()];

/** A command line, taken apart and not judged. */
export interface TypedCommand {
	/** Such as "build" and "context why". */
	readonly name: string;
	readonly command: Command;
	/** Whether the line names it; "rbuild ." does not. */
	readonly isNamed: boolean;
	/** Without the command and flags. */
	readonly words: readonly string[];
	/** All that the command has. */
	readonly flags: Flags;
	/** The command line as normalizeFlags() writes it. */
	readonly argv: readonly string[];
}

export function typedCommand(argv: readonly string[]): TypedCommand {
	const [first = ""] = wordsOf(normalizeFlags(argv, flagsOf(BUILD)));
	const command = COMMANDS.get(first);
	if (command === undefined) return taken(argv, DEFAULT_COMMAND, BUILD, 0);
	const { commands = {} } = command;
	const flags: Flags = Object.assign({}, ...[...Object.values(commands), command].map(flagsOf));
	const [, second = ""] = wordsOf(normalizeFlags(argv, flags));
	const inner = Object.hasOwn(commands, second) ? commands[second] : undefined;
	return inner === undefined
		? taken(argv, first, command, 1)
		: taken(argv, `${first} ${second}`, inner, 2);
}

export function flagsOf({ flags }: Command): Flags {
	return { ...flags, ...COMMON_FLAGS };
}

/** @param length of its name, in words; 0 where it is not named */
function taken(
	argv: readonly string[],
	name: string,
	command: Command,
	length: number,
): TypedCommand {
	const flags = flagsOf(command);
	const normalized = withoutEmptyFlags(name, normalizeFlags(argv, flags));
	const words = wordsOf(normalized).slice(length);
	return { name, command, isNamed: length > 0, words, flags, argv: normalized };
}

function wordsOf(argv: readonly string[]): readonly string[] {
	return argv.filter((word) => !word.startsWith("-") || word === "-");
}
