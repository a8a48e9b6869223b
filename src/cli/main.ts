// Loads nothing but what the command line asks for: `rbuild --version` is run by every editor and CI.
import { survivePipes, workingDirectoryIsGone } from "./process-faults.js";
import { version } from "./version.js";

const argv = process.argv.slice(2);
survivePipes();
if (argv.length === 1 && argv[0] === "--version") {
	process.stdout.write(`${version()}\n`);
} else if (!workingDirectoryIsGone()) {
	const { runProgram } = await import("./program.js");
	const exitCode = await runProgram(argv);
	process.exitCode ||= exitCode;
}
