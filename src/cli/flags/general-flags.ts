import type { Options } from "yargs";
import { SSH_CLIENTS } from "../process/process-environment.js";

/** Of every command. As docker, -D is debug. */
export const GENERAL_FLAGS = {
	debug: { type: "boolean", alias: "D", describe: "Show stack traces of errors" },
} as const satisfies Record<string, Options>;

/** Of the commands that log in to a box. */
export const SSH_FLAGS = {
	"ssh-config": {
		type: "string",
		requiresArg: true,
		describe: "Read this file instead of ~/.ssh/config",
	},
	"ssh-client": {
		type: "string",
		requiresArg: true,
		choices: SSH_CLIENTS,
		describe: "The ssh client: rbuild's own (builtin), or the ssh of this system",
	},
} as const satisfies Record<string, Options>;

/** Taken and ignored by commands that connect to no box, so that a wrapper may always pass them. */
export const HIDDEN_SSH_FLAGS: Readonly<Record<string, Options>> = Object.fromEntries(
	Object.entries(SSH_FLAGS).map(([name, flag]) => [name, { ...flag, hidden: true }]),
);
