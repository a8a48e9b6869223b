import type { Options } from "yargs";
import { BUILD_FLAGS } from "../flags/build-flags.js";
import { OUTPUT_FLAGS } from "../flags/output-flags.js";

/** The flags of the commands about images: apart from these, which only who calls one of them loads. */

const FORMAT = {
	type: "string",
	choices: ["table", "json"],
	default: "table",
	describe: "Output format",
} as const;

const { on, save } = BUILD_FLAGS;
const { progress, quiet, verbose, color } = OUTPUT_FLAGS;

export const PULL_FLAGS = {
	on: { ...on, describe: "Where the image is" },
	save,
	load: {
		...BUILD_FLAGS.load,
		describe: "Load it into the local daemon (the default without --save)",
	},
	progress,
	quiet,
	verbose: { ...verbose, describe: "With --progress plain: a line for every layer" },
	color,
	"no-color": OUTPUT_FLAGS["no-color"],
} as const satisfies Record<string, Options>;

export const IMAGES_FLAGS = {
	on: { ...BUILD_FLAGS.on, describe: "Which box" },
	format: FORMAT,
} as const satisfies Record<string, Options>;

export const CACHE_FLAGS = {
	keep: {
		type: "string",
		requiresArg: true,
		describe: "prune: how much to keep of what was used last, such as 5g",
	},
	all: { type: "boolean", describe: "prune: even what was used in the last hour" },
	format: FORMAT,
} as const satisfies Record<string, Options>;

export const CACHE_ACTIONS = ["ls", "prune", "verify"] as const;
