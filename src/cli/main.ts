// Loads nothing but what the command line asks for: `rbuild --version` is run by every editor and CI.
import { version } from "./version.js";

const argv = process.argv.slice(2);
if (argv.length === 1 && argv[0] === "--version") {
	process.stdout.write(`${version()}\n`);
} else {
	const { runProgram } = await import("./program.js");
	process.exitCode = await runProgram(argv);
}
