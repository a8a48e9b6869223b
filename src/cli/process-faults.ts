import { EXIT_CODES } from "../errors.js";
import { systemReason } from "../system-reason.js";

/**
 * A reader that has seen enough (`| head`) is no error. A full disk behind the standard output is one;
 * behind stderr there is nobody left to tell.
 */
export function survivePipes(): void {
	process.stderr.on("error", () => {});
	process.stdout.on("error", (error: NodeJS.ErrnoException) => {
		if (error.code === "EPIPE") return;
		process.stderr.write(`error: cannot write to the standard output: ${systemReason(error)}\n`);
		process.exitCode = EXIT_CODES.delivery;
	});
}

/** Every relative path would fail in a way of its own. */
export function workingDirectoryIsGone(): boolean {
	try {
		process.cwd();
		return false;
	} catch {
		process.stderr.write("error: the current directory does not exist any more\n");
		process.exitCode = EXIT_CODES.context;
		return true;
	}
}
