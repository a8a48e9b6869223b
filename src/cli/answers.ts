import type { Command, Flags } from "./command.js";
import { HIDDEN_SSH_FLAGS } from "./flags/general-flags.js";
import { version } from "./version.js";

/** They print something and exit, whatever else is on the command line. */
export const ANSWERS = {
	help: { type: "boolean", alias: "h" },
	version: { type: "boolean" },
} as const satisfies Flags;

/** `rbuild help COMMAND` is run as `rbuild COMMAND --help`. */
export const HELP_COMMAND: Command = {
	usage: "[command]",
	description: "Show help for a command",
	flags: HIDDEN_SSH_FLAGS,
	words: [0, Infinity],
};

export const VERSION_COMMAND: Command = {
	usage: "",
	description: "Show the version",
	flags: HIDDEN_SSH_FLAGS,
	words: [0, 0],
	run: async () => {
		process.stdout.write(`${version()}\n`);
		return 0;
	},
};
