import type { Command } from "../command.js";
import { offer } from "../completion/offer.js";
import { HIDDEN_SSH_FLAGS } from "../flags/general-flags.js";
import { WHY_FLAGS, type WhyArguments } from "./context-flags.js";

export const WHY: Command = {
	usage: "<paths..>",
	description: "Show whether each path would be sent, and which line decides",
	positional: {
		type: "string",
		array: true,
		describe: "Relative to the context directory, or to the current one",
	},
	flags: { ...WHY_FLAGS, ...HIDDEN_SSH_FLAGS },
	words: [1, Infinity],
	missing: ["no path was given", "name a path, such as: rbuild context why src/main.ts"],
	next: () => offer([], "files"),
	run: async (values: WhyArguments) => {
		const { runWhy } = await import("./why-command.js");
		return runWhy(values);
	},
};
