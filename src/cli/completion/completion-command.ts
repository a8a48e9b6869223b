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
