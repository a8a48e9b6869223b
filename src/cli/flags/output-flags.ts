import type { Options } from "yargs";

/** The flags that say what is shown and noted down, not what is built. */
export const OUTPUT_FLAGS = {
	progress: {
		type: "string",
		requiresArg: true,
		choices: ["auto", "tty", "plain", "json", "quiet", "none"],
		default: "auto",
		describe: "How progress is shown",
	},
	quiet: { type: "boolean", alias: "q", describe: "Print only the image id" },
	verbose: {
		type: "boolean",
		alias: "v",
		describe: "Keep the output of steps on the screen, and name the files a sync sends",
	},
	color: { type: "boolean", describe: "Always use colours" },
	"no-color": { type: "boolean", describe: "Never use colours" },
	iidfile: { type: "string", requiresArg: true, describe: "Write the image id to a file" },
	"metadata-file": { type: "string", requiresArg: true, describe: "Write the report as JSON" },
} as const satisfies Record<string, Options>;
