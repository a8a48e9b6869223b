import { useOneOf } from "../../unsupported-value.js";
import { type Command, takesNoArgument } from "../command.js";
import { HIDDEN_SSH_FLAGS } from "../flags/general-flags.js";
import type { CacheArguments } from "./cache-command.js";
import { CACHE_ACTIONS, CACHE_FLAGS } from "./image-flags.js";

export const CACHE: Command = {
	usage: "<action>",
	description: "Manage the cache of pulled layers: ls, prune, verify",
	positional: { choices: CACHE_ACTIONS, demandOption: true },
	flags: { ...CACHE_FLAGS, ...HIDDEN_SSH_FLAGS },
	words: [1, 1],
	actions: CACHE_ACTIONS,
	missing: ["rbuild cache needs a command", useOneOf(CACHE_ACTIONS)],
	tooMany: (word, [action]) => takesNoArgument(`cache ${action}`, word, "see rbuild cache --help"),
	run: async (values: CacheArguments) => {
		const { runCache } = await import("./cache-command.js");
		return runCache(values);
	},
};
