import type { Command } from "../command.js";
import { SSH_FLAGS } from "../flags/general-flags.js";
import { PULL_FLAGS } from "./image-flags.js";
import type { PullArguments } from "./pull-command.js";

export const PULL: Command = {
	usage: "<image>",
	description: "Pull an image from the box",
	positional: { type: "string", demandOption: true },
	flags: { ...PULL_FLAGS, ...SSH_FLAGS },
	words: [1, 1],
	missing: ["no image was given", "name one, such as: rbuild pull app; rbuild images lists them"],
	tooMany: (word) => [
		`rbuild pull takes one image, and got another: "${word}"`,
		"pull one after another",
	],
	run: async (values: PullArguments) => {
		const { runPull } = await import("./pull-command.js");
		return runPull(values);
	},
};
