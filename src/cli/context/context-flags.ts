import type { Options } from "yargs";
import { TEXT_FORMATS, type TextFormat } from "../../survey/format/formats.js";

const text = { type: "string", requiresArg: true } as const;
const flag = { type: "boolean" } as const;

/** The flags of `rbuild context`, in the order of the help. */
export const CONTEXT_FLAGS = {
	file: { ...text, alias: "f", describe: 'The Dockerfile; "-" reads it from standard input' },
	target: { ...text, describe: "Stage to build" },
	"build-arg": {
		...text,
		array: true,
		nargs: 1,
		describe: "Value for an ARG, NAME=VALUE or NAME",
	},
	format: {
		type: "string",
		choices: [...TEXT_FORMATS, "tar"],
		default: "table",
		describe: "Output format; tar: what --transfer tar --no-minimal sends",
	},
	output: { ...text, alias: "o", describe: "Write to a file instead of the standard output" },
	open: { ...flag, describe: "Open it as a page in the browser (--format html)" },
	link: { ...text, describe: "Estimate the time of the upload on a link, such as 20mbit" },
	depth: { ...text, describe: "Levels of directories to show (3)" },
	top: { ...text, describe: "Paths to show (20)" },
	all: { ...flag, describe: "Show all paths, however deep" },
	"max-size": { ...text, describe: "Exit with 3 if there is more to send, such as 50MB" },
	"max-files": { ...text, describe: "Exit with 3 if there are more files to send" },
	"max-file-size": { ...text, describe: "Exit with 3 if a file to send is larger" },
	fix: { ...flag, describe: "Add all advised lines to .dockerignore" },
	yes: { ...flag, alias: "y", describe: "With --fix: do not ask" },
	compare: { ...text, describe: "Show what changed since this --format json file" },
	color: { ...flag, describe: "Always use colours" },
	"no-color": { ...flag, describe: "Never use colours" },
} as const satisfies Record<string, Options>;

export const WHY_FLAGS = {
	context: { ...text, alias: "C", default: ".", describe: "The context directory" },
	file: CONTEXT_FLAGS.file,
	target: CONTEXT_FLAGS.target,
	"build-arg": CONTEXT_FLAGS["build-arg"],
} as const satisfies Record<string, Options>;

/** What both commands say of the build that is meant. */
export interface MeantBuild {
	readonly file?: string;
	readonly target?: string;
	readonly "build-arg"?: readonly string[];
}

export interface ContextArguments extends MeantBuild {
	readonly directory: string;
	readonly format: TextFormat | "tar";
	readonly output?: string;
	readonly open?: boolean;
	readonly link?: string;
	readonly depth?: string;
	readonly top?: string;
	readonly all?: boolean;
	readonly "max-size"?: string;
	readonly "max-files"?: string;
	readonly "max-file-size"?: string;
	readonly fix?: boolean;
	readonly yes?: boolean;
	readonly compare?: string;
	readonly color?: boolean;
	readonly "no-color"?: boolean;
}

export interface WhyArguments extends MeantBuild {
	readonly context: string;
	readonly paths: readonly string[];
}
