import { processEnvironment } from "../process/process-environment.js";
import { boxNames } from "./box-names.js";
import { completions } from "./completions.js";

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
