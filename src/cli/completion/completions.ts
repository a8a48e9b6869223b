import type { Command } from "../command.js";
import { COMMAND_NAMES, COMMANDS, type TypedCommand, typedCommand } from "../commands.js";
import type { BoxNames } from "./box-names.js";
import { offerFlagValues } from "./flag-values.js";
import { type Offer, offer } from "./offer.js";

type NamesIn = (sshConfig: string | undefined) => BoxNames;

/**
 * What the last word of a command line may become.
 *
 * @param line without "rbuild", up to the cursor; its last word may be empty. bash takes "--on=box" and
 * "ssh://box" apart into three words
 * @param namesIn of boxes, by the ssh_config that the line names, if any; they are asked for only where they
 * may stand
 */
export async function completions(line: readonly string[], namesIn: NamesIn): Promise<Offer> {
	const [before, current] = joined(line);
	const { words, paths } = await possible(before, current, namesIn);
	const matching = words.filter((word) => word.startsWith(current));
	// bash would make "cache/" of "cac" where there is such a folder.
	return offer(matching, current === "" || matching.length === 0 ? paths : undefined);
}

async function possible(
	before: readonly string[],
	current: string,
	namesIn: NamesIn,
): Promise<Offer> {
	const typed = typedCommand(before);
	const { flags, argv } = typed;
	const prefixOfFile = "--ssh-config=";
	const file = argv.findLast((word) => word.startsWith(prefixOfFile));
	const names = namesIn(file?.slice(prefixOfFile.length));
	// A value that is there would have been joined to it.
	const [, open = ""] = /^--([^=]+)$/.exec(argv.at(-1) ?? "") ?? [];
	if (flags[open]?.type === "string") return offerFlagValues(open, flags, names);
	const [, prefix, flag] = /^(--([^=]+)=)/.exec(current) ?? [];
	if (prefix !== undefined && flag !== undefined) {
		const { words, paths } = await offerFlagValues(flag, flags, names);
		return offer(
			words.map((word) => prefix + word),
			paths,
		);
	}
	if (current.startsWith("-")) {
		const shown = Object.entries(flags).filter(([, { hidden }]) => !hidden);
		return offer(shown.map(([flag]) => `--${flag}`));
	}
	return nextWord(typed, names);
}

/** What may stand where neither a flag nor its value does. */
async function nextWord(typed: TypedCommand, names: BoxNames): Promise<Offer> {
	const { name, command, isNamed, words } = typed;
	const [first] = words;
	if (name === "help") {
		return offer(first === undefined ? COMMAND_NAMES : wordsWithin(COMMANDS.get(first)));
	}
	const next = await command.next?.(words, names);
	if (first !== undefined) return next ?? offer([]);
	const own = isNamed ? [...(command.actions ?? []), ...wordsWithin(command)] : COMMAND_NAMES;
	return offer([...own, ...(next?.words ?? [])], next?.paths);
}

function wordsWithin(command: Command | undefined): readonly string[] {
	return Object.keys(command?.commands ?? {});
}

/** Puts together again what bash took apart. */
function joined(line: readonly string[]): [before: readonly string[], current: string] {
	const words: string[] = [];
	let goesOn = false;
	for (const word of line.slice(0, -1)) {
		const isBreak = word === "=" || word === ":";
		if (words.length > 0 && (isBreak || goesOn)) words.push((words.pop() ?? "") + word);
		else words.push(word);
		goesOn = isBreak;
	}
	// As if a blank stood there: "--on" "=" is "--on".
	if (goesOn) words.push((words.pop() ?? "").replace(/^(--.*)=$/, "$1"));
	const current = line.at(-1) ?? "";
	return [words, current === "=" || current === ":" ? "" : current];
}
