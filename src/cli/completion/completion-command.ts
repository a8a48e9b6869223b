import { processEnvironment } from "../process/process-environment.js";
import { boxNames } from "./box-names.js";
import { completions } from "./completions.js";
import { BASH_SCRIPT, FISH_SCRIPT, ZSH_SCRIPT } from "./scripts.js";

/** `rbuild completion`: the script for the shell that SHELL names. */
export function printCompletionScript({ SHELL = "" }: NodeJS.ProcessEnv): void {
	const name = SHELL.split("/").at(-1) ?? "";
	const script = name.includes("zsh")
		? ZSH_SCRIPT
		: name.includes("fish")
			? FISH_SCRIPT
			: BASH_SCRIPT;
	process.stdout.write(script);
}

/**
 * Prints what the last word of a command line may become, a line for each; then, as ":files" or
 * ":directories", what the shell is to add.
 *
 * @param line without "rbuild", up to the cursor
 */
export async function printCompletions(line: readonly string[]): Promise<void> {
	const { words, paths } = await completions(line, (sshConfig) =>
		boxNames(processEnvironment(sshConfig, undefined, "auto")),
	);
	const lines = paths === undefined ? words : [...words, `:${paths}`];
	process.stdout.write(lines.map((word) => `${word}\n`).join(""));
}
