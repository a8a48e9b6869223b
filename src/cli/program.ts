import yargs, { type Options } from "yargs";
import { EXIT_CODES, type ExitCode } from "../errors.js";
import { type BuildArguments, runBuild } from "./build-command.js";
import { BUILD_FLAGS } from "./build-flags.js";
import type { CacheArguments } from "./cache-command.js";
import { normalizeFlags } from "./command-line.js";
import {
	CONTEXT_FLAGS,
	type ContextArguments,
	WHY_FLAGS,
	type WhyArguments,
} from "./context/context-flags.js";
import { DOCTOR_FLAGS, type DoctorArguments } from "./doctor-flags.js";
import { describeFailure, stackTraces } from "./failures.js";
import { COMPLETION_HELP, HELP } from "./help.js";
import { HOSTS_FLAGS, type HostsArguments } from "./hosts-flags.js";
import { CACHE_ACTIONS, CACHE_FLAGS, IMAGES_FLAGS, PULL_FLAGS } from "./image-flags.js";
import type { ImagesArguments } from "./images-command.js";
import { endSoon } from "./interrupts.js";
import { OLD_FLAGS } from "./old-flags.js";
import { OUTPUT_FLAGS } from "./output-flags.js";
import type { PullArguments } from "./pull-command.js";
import { completionTakesNothing, usageError } from "./usage-errors.js";
import { version } from "./version.js";

const GENERAL_FLAGS = {
	"ssh-config": {
		type: "string",
		requiresArg: true,
		describe: "Read this instead of ~/.ssh/config",
	},
	"ssh-client": {
		type: "string",
		requiresArg: true,
		describe: "What logs in: auto, builtin, or the system's ssh",
	},
	debug: { type: "boolean", describe: "Show stack traces of errors" },
} as const;

const ALL_BUILD_FLAGS = { ...BUILD_FLAGS, ...OUTPUT_FLAGS };
const HELP_WORDS = ["--help", "-h", "help"];
const COMMANDS = ["build", "context", "pull", "images", "cache", "doctor", "hosts", "completion"];
/** Of the commands that have others than a build. */
const OTHER_FLAGS: Readonly<Record<string, Record<string, Options>>> = {
	context: CONTEXT_FLAGS,
	pull: PULL_FLAGS,
	images: IMAGES_FLAGS,
	cache: CACHE_FLAGS,
	doctor: DOCTOR_FLAGS,
	hosts: HOSTS_FLAGS,
};

export interface Outcome {
	readonly exitCode: ExitCode | 0;
	/** Set when it was a build, and that went well. */
	readonly hasBuilt?: boolean;
}

/** Runs one command line; everything that can go wrong ends as an exit code. */
export async function runProgram(argv: readonly string[]): Promise<Outcome> {
	if (argv.length === 0 || (argv.length === 1 && HELP_WORDS.includes(argv[0] ?? ""))) {
		process.stdout.write(HELP);
		return { exitCode: 0 };
	}
	const outcome = await parse(argv).catch((error: unknown) => ({
		exitCode: reportFailure(error, argv.includes("--debug")),
	}));
	if (outcome.exitCode === EXIT_CODES.interrupted) endSoon();
	return outcome;
}

function reportFailure(error: unknown, debug: boolean): ExitCode {
	const { message, hint, exitCode } = describeFailure(error);
	process.stderr.write(`error: ${message}\n`);
	if (hint !== undefined) process.stderr.write(`hint: ${hint}\n`);
	if (debug) process.stderr.write(`${stackTraces(error)}\n`);
	return exitCode;
}

async function parse(argv: readonly string[]): Promise<Outcome> {
	let exitCode: ExitCode | 0 = 0;
	let hasBuilt = false;
	const flags = { ...flagsOf(argv), ...GENERAL_FLAGS };
	const parser = yargs(normalizeFlags(argv, { ...OLD_FLAGS, ...flags }))
		.scriptName("rbuild")
		.locale("en")
		.usage("$0 CONTEXT [flags]")
		.parserConfiguration({
			"boolean-negation": false,
			"camel-case-expansion": false,
			"dot-notation": false,
			"greedy-arrays": false,
			"parse-numbers": false,
			"parse-positional-numbers": false,
			"strip-aliased": true,
		})
		.command(
			["$0 <context>", "build <context>"],
			"Build an image on the box",
			(command) =>
				command
					.positional("context", {
						type: "string",
						describe: 'A directory, "-" for a tar or Dockerfile on standard input, or a git URL',
						// What yargs makes of "-" here.
						coerce: (value: string) => (value === "" && argv.includes("-") ? "-" : value),
					})
					.options(onlyLast(BUILD_FLAGS))
					.options(onlyLast(OUTPUT_FLAGS))
					.options(OLD_FLAGS)
					.group(Object.keys(BUILD_FLAGS), "Build:")
					.group(Object.keys(OUTPUT_FLAGS), "Output:"),
			async (values) => {
				exitCode = await runBuild(values as unknown as BuildArguments);
				hasBuilt = exitCode === 0;
			},
		)
		.command(
			"context [directory]",
			"Show what would be uploaded",
			(command) =>
				command
					.positional("directory", { type: "string", default: "." })
					.options(onlyHere(onlyLast(CONTEXT_FLAGS)))
					.command(
						"why <paths..>",
						"Say for each path whether it would be sent, and which line decides",
						(why) =>
							why
								.positional("paths", {
									type: "string",
									array: true,
									describe: "Relative to the context directory, or to the current one",
								})
								.options(onlyLast(WHY_FLAGS)),
						async (values) => {
							const { runWhy } = await import("./other-commands.js");
							exitCode = await runWhy(values as unknown as WhyArguments);
						},
					),
			async (values) => {
				const { runContext } = await import("./other-commands.js");
				exitCode = await runContext(values as unknown as ContextArguments);
			},
		)
		.command(
			"doctor",
			"Say whether a build could work, and if not, why",
			(command) => command.options(onlyLast(DOCTOR_FLAGS)),
			async (values) => {
				const { runDoctor } = await import("./other-commands.js");
				exitCode = await runDoctor(values as unknown as DoctorArguments);
			},
		)
		.command(
			"hosts [words..]",
			"List the boxes; hosts add, rm, use, inspect and trust",
			(command) =>
				command
					.usage(
						"$0 hosts [ls]\n$0 hosts add NAME ssh://…|tcp://…|unix://…\n$0 hosts rm|use|inspect|trust NAME",
					)
					.options(onlyLast(HOSTS_FLAGS)),
			async (values) => {
				const { runHosts } = await import("./other-commands.js");
				exitCode = await runHosts(values as unknown as HostsArguments);
			},
		)
		.command(
			"pull <image>",
			"Bring an image of the box here",
			(command) =>
				command
					.positional("image", { type: "string", demandOption: true })
					.options(onlyLast(PULL_FLAGS)),
			async (values) => {
				const { runPull } = await import("./other-commands.js");
				exitCode = await runPull(values as unknown as PullArguments);
			},
		)
		.command(
			"images",
			"List the images of the box",
			(command) => command.options(onlyLast(IMAGES_FLAGS)),
			async (values) => {
				const { runImages } = await import("./other-commands.js");
				exitCode = await runImages(values as unknown as ImagesArguments);
			},
		)
		.command(
			"cache <action>",
			"See to the layers that were brought here: ls, prune, verify",
			(command) =>
				command
					.positional("action", { choices: CACHE_ACTIONS, demandOption: true })
					.options(onlyLast(CACHE_FLAGS)),
			async (values) => {
				const { runCache } = await import("./other-commands.js");
				exitCode = await runCache(values as unknown as CacheArguments);
			},
		)
		.completion("completion", "Print a script for shell completion", completions)
		.options(onlyLast(GENERAL_FLAGS))
		.strict()
		.exitProcess(false)
		.version(version())
		.help()
		.alias("help", "h")
		.wrap(Math.min(100, process.stdout.columns ?? 80))
		.fail((message, error) => {
			// yargs throws its own findings, too.
			throw error && error.name !== "YError"
				? error
				: usageError(message, argv, { commands: COMMANDS, flags: Object.keys(flags) });
		});
	if (argv[0] !== "completion") await parser.parseAsync();
	else if (argv.length === 1) parser.showCompletionScript();
	else if (argv.some((word) => HELP_WORDS.includes(word))) process.stdout.write(COMPLETION_HELP);
	else throw completionTakesNothing(argv[1] ?? "");
	return { exitCode, hasBuilt };
}

/** Flags by themselves; for everything else the shell offers files beside what is here. */
function completions(current: string, { _: words = [] }: { readonly _?: readonly unknown[] }) {
	if (!current.startsWith("-")) return COMMANDS;
	const names = words.map(String);
	const flags = flagsOf(names.slice(names.findIndex((name) => name in OTHER_FLAGS)));
	return Object.keys({ ...flags, ...GENERAL_FLAGS }).map((flag) => `--${flag}`);
}

/** Those that the command line may have. */
function flagsOf([command = "", ...words]: readonly string[]): Readonly<Record<string, Options>> {
	if (command === "context" && words.includes("why")) return { ...CONTEXT_FLAGS, ...WHY_FLAGS };
	return OTHER_FLAGS[command] ?? ALL_BUILD_FLAGS;
}

/** As in docker, a flag that is given twice has the last value; yargs would make a list of both. */
function onlyLast<Flags extends Record<string, object>>(flags: Flags): Flags {
	return Object.fromEntries(
		Object.entries(flags).map(([name, flag]) => [
			name,
			"array" in flag
				? flag
				: { ...flag, coerce: (value: unknown) => (Array.isArray(value) ? value.at(-1) : value) },
		]),
	) as Flags;
}

/** Not for the commands within a command, too. */
function onlyHere<Flags extends Record<string, object>>(flags: Flags): Flags {
	return Object.fromEntries(
		Object.entries(flags).map(([name, flag]) => [name, { ...flag, global: false }]),
	) as Flags;
}
