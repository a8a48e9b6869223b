import yargs, { type Argv, type Options } from "yargs";
import { UsageError } from "../../errors.js";
import { onOneLine } from "../../printable.js";
import type { Command } from "../command.js";
import { COMMANDS, DEFAULT_COMMAND, flagsOf, type TypedCommand } from "../commands.js";
import { version } from "../version.js";

/**
 * The values of a command line's flags and words, by their names. Where yargs is asked for help or the version it
 * prints that, and there are none.
 *
 * @throws UsageError
 */
export async function parsedValues(typed: TypedCommand): Promise<object | undefined> {
	let values: object | undefined;
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
		.strict()
		.exitProcess(false)
		.version(version())
		.help()
		.alias("help", "h")
		.wrap(Math.min(100, process.stdout.columns ?? 80))
		.fail((message, error) => {
			// yargs throws its own findings, too.
			if (error && error.name !== "YError") throw error;
			throw new UsageError(onOneLine(message), { hint: `see rbuild ${typed.name} --help` });
		});
	for (const [name, command] of COMMANDS) {
		addCommand(parser, name, command, typed, (parsed) => {
			values = { ...parsed, ...wordsByName(typed) };
		});
	}
	await parser.parseAsync();
	return values;
}

/** @param take given what yargs makes of the line; not called where that is help or the version */
function addCommand(
	parser: Argv,
	name: string,
	command: Command,
	typed: TypedCommand,
	take: (parsed: object) => void,
): void {
	const words = name === DEFAULT_COMMAND ? ["$0", name] : [name.split(" ").at(-1)];
	const declare = (own: Argv) => {
		for (const [word, inner] of Object.entries(command.commands ?? {})) {
			addCommand(own, `${name} ${word}`, inner, typed, take);
			// What else is declared it inherits: yargs would take its first path for a directory.
			if (typed.command === inner) return;
		}
		const { positional, synopsis } = command;
		const word = wordIn(command);
		if (word !== undefined && positional !== undefined) own.positional(word, positional);
		if (synopsis !== undefined) own.usage(synopsis);
		own.options(optionsOf(command));
	};
	parser.command(
		words.map((word) => `${word} ${command.usage}`.trim()),
		command.description,
		declare,
		take,
	);
}

/** "image" of "<image>". */
function wordIn({ usage }: Command): string | undefined {
	return /\w+/.exec(usage)?.[0];
}

/** As they were typed: yargs makes "" of "-". */
function wordsByName({ command, words }: TypedCommand): Readonly<Record<string, unknown>> {
	const name = wordIn(command);
	if (name === undefined) return {};
	if (command.usage.includes("..")) return { [name]: words };
	const [word = command.positional?.default] = words;
	return { [name]: word };
}

/** As in docker, a flag that is given twice has the last value; yargs would make a list of both. */
function optionsOf(command: Command): Record<string, Options> {
	const { help: _help, version: _version, ...flags } = flagsOf(command);
	return Object.fromEntries(
		Object.entries(flags).map(([flag, options]) => [
			flag,
			options.array
				? options
				: { ...options, coerce: (value: unknown) => (Array.isArray(value) ? value.at(-1) : value) },
		]),
	);
}
