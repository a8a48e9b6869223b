import picocolors from "picocolors";
import yargs, { type Options } from "yargs";
import { EXIT_CODES, type ExitCode, UsageError } from "../errors.js";
import { onOneLine } from "../printable.js";
import { failureLines } from "../render/failure.js";
import type { Failure } from "../render/renderer.js";
import { stderrWidth } from "../render/screen.js";
import type { BuildArguments } from "./build/build-command.js";
import {
	COMMANDS,
	type CommandName,
	flagsOf,
	type TypedCommand,
	typedCommand,
} from "./commands.js";
import type { ContextArguments, WhyArguments } from "./context/context-flags.js";
import type { DoctorArguments } from "./doctor/doctor-flags.js";
import { reportFailure } from "./failures.js";
import { BUILD_FLAGS } from "./flags/build-flags.js";
import { OUTPUT_FLAGS } from "./flags/output-flags.js";
import { checkCommandLine, isAsked, noSuchCommand } from "./flags/usage-errors.js";
import { COMPLETION_HELP, HELP } from "./help.js";
import type { HostsArguments } from "./hosts/hosts-flags.js";
import type { CacheArguments } from "./images/cache-command.js";
import { CACHE_ACTIONS } from "./images/image-flags.js";
import type { ImagesArguments } from "./images/images-command.js";
import type { PullArguments } from "./images/pull-command.js";
import { endSoon } from "./process/interrupts.js";
import { processScreen } from "./process/screen.js";
import { version } from "./version.js";

/** By which the scripts of `rbuild completion` ask. */
const GET_COMPLETIONS = "--get-completions";

const HELP_WORDS = ["--help", "-h", "help"];

interface ProgramOutcome {
	readonly exitCode: ExitCode | 0;
	/** Set when it was a build, and that went well. */
	readonly hasBuilt?: boolean;
}

/** Runs one command line; everything that can go wrong ends as an exit code. */
export async function runProgram(argv: readonly string[]): Promise<ProgramOutcome> {
	if (argv.length === 0 || (argv.length === 1 && HELP_WORDS.includes(argv[0] ?? ""))) {
		process.stdout.write(HELP);
		return { exitCode: 0 };
	}
	const outcome = await run(argv).catch((error: unknown) => ({
		exitCode: reportFailure(
			error,
			PLAIN,
			["--debug", "-D"].some((flag) => argv.includes(flag)),
		),
	}));
	if (outcome.exitCode === EXIT_CODES.interrupted) endSoon();
	return outcome;
}

async function run(argv: readonly string[]): Promise<ProgramOutcome> {
	const [first = "", ...line] = argv;
	if (first === GET_COMPLETIONS) {
		const { printCompletions } = await import("./completion/completion-command.js");
		await printCompletions(line);
		return { exitCode: 0 };
	}
	const typed = typedCommand(argv);
	checkCommandLine(typed);
	const [word, ...more] = typed.words;
	if (typed.name === "help") {
		if (word !== undefined && !COMMANDS.includes(word)) throw noSuchCommand(word);
		const asked = word === undefined || word === "help" ? [] : [word, ...more, "--help"];
		return runProgram(asked);
	}
	if (typed.name === "completion" && isAsked("help", typed.argv)) {
		process.stdout.write(COMPLETION_HELP);
		return { exitCode: 0 };
	}
	return parse(typed);
}

/** Of a command without a renderer of its own. */
const PLAIN = {
	fail(failure: Failure): void {
		const screen = processScreen(false);
		const lines = failureLines(failure, picocolors.createColors(false), stderrWidth(screen));
		screen.stderr.write(`${lines.join("\n")}\n`);
	},
};

async function parse(typed: TypedCommand): Promise<ProgramOutcome> {
	let exitCode: ExitCode | 0 = 0;
	let hasBuilt = false;
	const isWhy = typed.name === "context why";
	// yargs makes "" of "-", and of "" the default.
	const withDash = (value: string) =>
		["", "."].includes(value) && typed.argv.includes("-") ? "-" : value;
	const parser = yargs([...typed.argv])
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
						coerce: withDash,
					})
					.options(optionsOf("build"))
					.group(Object.keys(BUILD_FLAGS), "Build:")
					.group(Object.keys(OUTPUT_FLAGS), "Output:"),
			async (values) => {
				const { runBuild } = await import("./build/build-command.js");
				exitCode = await runBuild(values as unknown as BuildArguments);
				hasBuilt = exitCode === 0;
			},
		)
		.command(
			"context [directory]",
			"Show what would be uploaded",
			(command) =>
				// Not for "why": yargs would take its first path for this one.
				(isWhy
					? command
					: command.positional("directory", { type: "string", default: ".", coerce: withDash })
				)
					.options(onlyHere(optionsOf("context")))
					.command(
						"why <paths..>",
						"Show whether each path would be sent, and which line decides",
						(why) =>
							why
								.positional("paths", {
									type: "string",
									array: true,
									describe: "Relative to the context directory, or to the current one",
								})
								.options(optionsOf("context why")),
						async (values) => {
							const { runWhy } = await import("./context/why-command.js");
							exitCode = await runWhy(values as unknown as WhyArguments);
						},
					),
			async (values) => {
				const { runContext } = await import("./context/context-command.js");
				exitCode = await runContext(values as unknown as ContextArguments);
			},
		)
		.command(
			"doctor",
			"Check whether a build would work, and if not, why",
			(command) => command.options(optionsOf("doctor")),
			async (values) => {
				const { runDoctor } = await import("./doctor/doctor-command.js");
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
					.options(optionsOf("hosts")),
			async (values) => {
				const { runHosts } = await import("./hosts/hosts-command.js");
				exitCode = await runHosts(values as unknown as HostsArguments);
			},
		)
		.command(
			"pull <image>",
			"Pull an image from the box",
			(command) =>
				command
					.positional("image", { type: "string", demandOption: true })
					.options(optionsOf("pull")),
			async (values) => {
				const { runPull } = await import("./images/pull-command.js");
				exitCode = await runPull(values as unknown as PullArguments);
			},
		)
		.command(
			"images",
			"List the images of the box",
			(command) => command.options(optionsOf("images")),
			async (values) => {
				const { runImages } = await import("./images/images-command.js");
				exitCode = await runImages(values as unknown as ImagesArguments);
			},
		)
		.command(
			"cache <action>",
			"Manage the cache of pulled layers: ls, prune, verify",
			(command) =>
				command
					.positional("action", { choices: CACHE_ACTIONS, demandOption: true })
					.options(optionsOf("cache")),
			async (values) => {
				const { runCache } = await import("./images/cache-command.js");
				exitCode = await runCache(values as unknown as CacheArguments);
			},
		)
		.command(
			"completion",
			"Print a script for shell completion",
			optionsOf("completion"),
			async () => {
				const { printCompletionScript } = await import("./completion/completion-command.js");
				printCompletionScript(process.env);
			},
		)
		.command("help [command]", "Show help for a command")
		.command("version", "Show the version", optionsOf("version"), () => {
			process.stdout.write(`${version()}\n`);
		})
		.strict()
		.exitProcess(false)
		.version(version())
		.help()
		.alias("help", "h")
		.wrap(Math.min(100, process.stdout.columns ?? 80))
		.fail((message, error) => {
			// yargs throws its own findings, too.
			if (error && error.name !== "YError") throw error;
			throw new UsageError(onOneLine(message), {
				hint: `see rbuild ${typed.name} --help`,
			});
		});
	await parser.parseAsync();
	return { exitCode, hasBuilt };
}

/** As in docker, a flag that is given twice has the last value; yargs would make a list of both. */
function optionsOf(name: CommandName): Record<string, Options> {
	const { help: _help, version: _version, ...flags } = flagsOf(name);
	return Object.fromEntries(
		Object.entries(flags).map(([flag, options]) => [
			flag,
			options.array
				? options
				: { ...options, coerce: (value: unknown) => (Array.isArray(value) ? value.at(-1) : value) },
		]),
	);
}

/** Options that the commands within a command do not inherit. */
function onlyHere(options: Record<string, Options>): Record<string, Options> {
	return Object.fromEntries(
		Object.entries(options).map(([name, option]) => [name, { ...option, global: false }]),
	);
}
