import picocolors from "picocolors";
import { EXIT_CODES, type ExitCode } from "../errors.js";
import { failureLines } from "../render/failure.js";
import type { Failure } from "../render/renderer.js";
import { stderrWidth } from "../render/screen.js";
import { COMMANDS, typedCommand } from "./commands.js";
import { reportFailure } from "./failures.js";
import { parsedValues } from "./flags/parsed-values.js";
import { checkCommandLine, isAsked, noSuchCommand } from "./flags/usage-errors.js";
import { HELP } from "./help.js";
import { endSoon } from "./process/interrupts.js";
import { processScreen } from "./process/screen.js";

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
		const { printCompletions } = await import("./completion/printed-completions.js");
		await printCompletions(line);
		return { exitCode: 0 };
	}
	const typed = typedCommand(argv);
	checkCommandLine(typed);
	const { name, command, words } = typed;
	if (name === "help") return runProgram(helpAskedFor(words));
	if (command.help !== undefined && isAsked("help", typed.argv)) {
		process.stdout.write(command.help);
		return { exitCode: 0 };
	}
	const values = await parsedValues(typed);
	if (values === undefined) return { exitCode: 0 };
	const exitCode = (await command.run?.(values as never)) ?? 0;
	return { exitCode, hasBuilt: name === "build" && exitCode === 0 };
}

/** Of a command without a renderer of its own. */
const PLAIN = {
	fail(failure: Failure): void {
		const screen = processScreen(false);
		const lines = failureLines(failure, picocolors.createColors(false), stderrWidth(screen));
		screen.stderr.write(`${lines.join("\n")}\n`);
	},
};

/** The command line that `rbuild help WORD…` stands for. */
function helpAskedFor([word, ...more]: readonly string[]): readonly string[] {
	if (word === undefined || word === "help") return [];
	if (!COMMANDS.has(word)) throw noSuchCommand(word);
	return [word, ...more, "--help"];
}
