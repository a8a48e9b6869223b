import type { Options } from "yargs";
import type { Command, Flags } from "../command.js";
import { offer } from "../completion/offer.js";
import { BUILD_FLAGS } from "../flags/build-flags.js";
import { SSH_FLAGS } from "../flags/general-flags.js";
import { OLD_FLAGS, REFUSED_FLAGS } from "../flags/old-flags.js";
import { OUTPUT_FLAGS } from "../flags/output-flags.js";
import type { BuildArguments } from "./build-command.js";

export const BUILD: Command = {
	usage: "<context>",
	description: "Build an image on the box",
	positional: {
		type: "string",
		describe: 'A directory, "-" for a tar or Dockerfile on standard input, or a git URL',
	},
	flags: {
		...grouped("Build:", BUILD_FLAGS),
		...grouped("Output:", OUTPUT_FLAGS),
		...{ ...OLD_FLAGS, ...REFUSED_FLAGS, ...SSH_FLAGS },
	},
	words: [1, 1],
	missing: ["no build context was given", "name the directory to build, such as: rbuild . -t app"],
	tooMany: (word) => [`unexpected argument "${word}"`, "there is one build context"],
	next: ([context]) => offer([], context === undefined ? "directories" : undefined),
	run: async (values: BuildArguments) => {
		const { runBuild } = await import("./build-command.js");
		return runBuild(values);
	},
};

/** Under a heading of their own in the help. */
function grouped(group: string, flags: Readonly<Record<string, Options>>): Flags {
	return Object.fromEntries(
		Object.entries(flags).map(([name, flag]) => [name, { ...flag, group }]),
	);
}
