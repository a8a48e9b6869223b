import { suggestion } from "../../suggestion.js";
import type { Command } from "../command.js";
import { offer } from "../completion/offer.js";
import { HIDDEN_SSH_FLAGS } from "../flags/general-flags.js";
import { CONTEXT_FLAGS, type ContextArguments } from "./context-flags.js";
import { WHY } from "./why.js";

export const CONTEXT: Command = {
	usage: "[directory]",
	description: "Show what would be uploaded",
	positional: { type: "string", default: "." },
	flags: { ...CONTEXT_FLAGS, ...HIDDEN_SSH_FLAGS },
	words: [0, 1],
	commands: { why: WHY },
	tooMany: (word, [directory = ""]) => [
		`rbuild context takes one directory, and got another: "${word}"`,
		word === "why" || suggestion(directory, ["why"])
			? "did you mean: rbuild context why PATH?"
			: `to ask about a path: rbuild context why ${word}`,
	],
	next: ([directory]) => offer([], directory === undefined ? "directories" : undefined),
	run: async (values: ContextArguments) => {
		const { runContext } = await import("./context-command.js");
		return runContext(values);
	},
};
