import type { Options } from "yargs";
import { CONTEXT_FLAGS, WHY_FLAGS } from "./context/context-flags.js";
import { DOCTOR_FLAGS } from "./doctor/doctor-flags.js";
import { BUILD_FLAGS } from "./flags/build-flags.js";
import { normalizeFlags } from "./flags/command-line.js";
import { withoutEmptyFlags } from "./flags/empty-flags.js";
import { GENERAL_FLAGS, HIDDEN_SSH_FLAGS, SSH_FLAGS } from "./flags/general-flags.js";
import { OLD_FLAGS, REFUSED_FLAGS } from "./flags/old-flags.js";
import { OUTPUT_FLAGS } from "./flags/output-flags.js";
import { HOSTS_FLAGS } from "./hosts/hosts-flags.js";
import { CACHE_FLAGS, IMAGES_FLAGS, PULL_FLAGS } from "./images/image-flags.js";

/** By their long names. */
export type Flags = Readonly<Record<string, Options>>;

/** A command, as far as a command line can be judged by it without being run. */
interface Command {
	/** All but those that every command has (COMMON_FLAGS). */
	readonly flags: Flags;
	/** How many words it takes, which are neither flags nor their values. */
	readonly words: readonly [least: number, most: number];
}

/** They print something and exit, whatever else is on the command line. */
const ANSWERS = {
	help: { type: "boolean", alias: "h" },
	version: { type: "boolean" },
} as const satisfies Flags;

const COMMON_FLAGS: Flags = { ...GENERAL_FLAGS, ...ANSWERS };

const LOCAL = HIDDEN_SSH_FLAGS;

/** In the order of the help. The first is meant where a command line names none. */
const ALL = {
	build: {
		flags: { ...BUILD_FLAGS, ...OUTPUT_FLAGS, ...OLD_FLAGS, ...REFUSED_FLAGS, ...SSH_FLAGS },
		words: [1, 1],
	},
	context: { flags: { ...CONTEXT_FLAGS, ...LOCAL }, words: [0, 1] },
	"context why": { flags: { ...WHY_FLAGS, ...LOCAL }, words: [1, Infinity] },
	pull: { flags: { ...PULL_FLAGS, ...SSH_FLAGS }, words: [1, 1] },
	images: { flags: { ...IMAGES_FLAGS, ...SSH_FLAGS }, words: [0, 0] },
	cache: { flags: { ...CACHE_FLAGS, ...LOCAL }, words: [1, 1] },
	doctor: { flags: { ...DOCTOR_FLAGS, ...SSH_FLAGS }, words: [0, 0] },
	hosts: { flags: { ...HOSTS_FLAGS, ...SSH_FLAGS }, words: [0, Infinity] },
	completion: { flags: LOCAL, words: [0, 0] },
	help: { flags: LOCAL, words: [0, Infinity] },
	version: { flags: LOCAL, words: [0, 0] },
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof ALL;

/** What may stand first in a command line. */
export const COMMANDS: readonly string[] = Object.keys(ALL).filter((name) => !name.includes(" "));

/** A command line, taken apart and not judged. */
export interface TypedCommand {
	readonly name: CommandName;
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
	const [first = ""] = wordsOf(normalizeFlags(argv, flagsOf("build")));
	if (!COMMANDS.includes(first)) return taken(argv, "build", 0);
	if (first === "context") {
		const both = { ...flagsOf("context why"), ...flagsOf("context") };
		const [, second] = wordsOf(normalizeFlags(argv, both));
		if (second === "why") return taken(argv, "context why", 2);
	}
	return taken(argv, first as CommandName, 1);
}

/** The least and the most words that a command takes. */
export function wordLimits(name: CommandName): readonly [least: number, most: number] {
	return ALL[name].words;
}

export function flagsOf(name: CommandName): Flags {
	return { ...ALL[name].flags, ...COMMON_FLAGS };
}

/** @param length of its name, in words */
function taken(argv: readonly string[], name: CommandName, length: number): TypedCommand {
	const flags = flagsOf(name);
	const normalized = withoutEmptyFlags(name, normalizeFlags(argv, flags));
	const words = wordsOf(normalized).slice(length);
	return { name, isNamed: length > 0, words, flags, argv: normalized };
}

function wordsOf(argv: readonly string[]): readonly string[] {
	return argv.filter((word) => !word.startsWith("-") || word === "-");
}
