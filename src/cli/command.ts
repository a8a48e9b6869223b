import type { Options, PositionalOptions } from "yargs";
import type { ExitCode } from "../errors.js";
import type { BoxNames } from "./completion/box-names.js";
import type { Offer } from "./completion/offer.js";

/** By their long names. */
export type Flags = Readonly<Record<string, Options>>;

/** What is wrong, and the way out. */
export type Finding = readonly [message: string, hint: string];

/** What a command is. What it does is loaded by run(), so that no other command waits for it. */
export interface Command {
	/** The words behind its name, as the help has them: "<image>". */
	readonly usage: string;
	readonly description: string;
	/** What its own help has in place of the above, from "$0" on. */
	readonly synopsis?: string;
	/** What its own help says of the words. */
	readonly positional?: PositionalOptions;
	/** Its own help as a whole. */
	readonly help?: string;
	/** All but those that every command has (COMMON_FLAGS). */
	readonly flags: Flags;
	/** How many words it takes, which are neither flags nor their values. */
	readonly words: readonly [least: number, most: number];
	/** What its first word has to be. */
	readonly actions?: readonly string[];
	/** By the word that follows its name. */
	readonly commands?: Readonly<Record<string, Command>>;
	/** What to say where a word is missing. */
	readonly missing?: Finding;
	/** What to say of a word that is one too many, if not that there should be none. */
	readonly tooMany?: (word: string, words: readonly string[]) => Finding;
	/** What may stand behind these words, apart from `actions` and `commands`. */
	readonly next?: (words: readonly string[], names: BoxNames) => Offer | Promise<Offer>;
	/**
	 * Absent where another command is run in its place.
	 *
	 * @param values of its flags, and of its words by the name that `usage` has for them
	 */
	readonly run?: (values: never) => Promise<ExitCode | 0>;
}

export function takesNoArgument(
	command: string,
	word: string,
	hint = `see rbuild ${command} --help`,
): Finding {
	return [`rbuild ${command} takes no argument, and got "${word}"`, hint];
}

/** Of a command that has nothing but flags, and --on among them. */
export function boxWithoutFlag(command: string): (word: string) => Finding {
	return (word) =>
		takesNoArgument(command, word, `if that is the box: rbuild ${command} --on ${word}`);
}
