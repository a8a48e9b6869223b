import { UsageError } from "../errors.js";
import { suggestion } from "./suggestion.js";

/** What a command line may have; flags without their dashes. */
export interface KnownWords {
	readonly commands: readonly string[];
	readonly flags: readonly string[];
}

/**
 * In rbuild's words what yargs found wrong with a command line.
 * @param message yargs' own, in English
 */
export function usageError(
	message: string,
	argv: readonly string[],
	known: KnownWords,
): UsageError {
	const unknown = /^Unknown arguments?: (.+)$/.exec(message)?.[1]?.split(", ")[0];
	if (unknown !== undefined) return unknownArgument(unknown, argv, known);
	if (message.startsWith("Not enough non-option arguments")) {
		if (argv[0] === "context") {
			return new UsageError("no path was given", {
				hint: "name what you wonder about, such as: rbuild context why src/main.ts",
			});
		}
		return new UsageError("no build context was given", {
			hint: "name the directory to build, such as: rbuild . -t app",
		});
	}
	const line = message.replace(/\s+/g, " ").trim();
	return new UsageError(line.charAt(0).toLowerCase() + line.slice(1), {
		hint: "see rbuild --help",
	});
}

export function completionTakesNothing(word: string): UsageError {
	return new UsageError(`rbuild completion takes no argument, and got "${word}"`, {
		hint: "it prints what suits the shell that SHELL names: zsh, fish, else bash",
	});
}

function unknownArgument(
	name: string,
	argv: readonly string[],
	{ commands, flags }: KnownWords,
): UsageError {
	const [first = ""] = argv;
	if (argv.includes(name)) {
		const command = suggestion(first, commands);
		return new UsageError(`unexpected argument "${name}"`, {
			hint:
				command === undefined ? "there is one build context" : `did you mean: rbuild ${command}?`,
		});
	}
	const meant = suggestion(
		name,
		flags.filter((flag) => flag !== name),
	);
	const helpful = commands.includes(first) ? first : "build";
	return new UsageError(`unknown flag ${name.length === 1 ? "-" : "--"}${name}`, {
		hint: meant === undefined ? `see rbuild ${helpful} --help` : `did you mean --${meant}?`,
	});
}
