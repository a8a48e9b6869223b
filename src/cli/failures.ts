import { EXIT_CODES, type ExitCode, RbuildError } from "../errors.js";
import type { Failure, Renderer } from "../render/renderer.js";
import { version } from "./version.js";

/**
 * Shows what ends a command, with the stack traces behind it for --debug.
 * @returns the exit code that goes with it
 */
export function reportFailure(
	thrown: unknown,
	renderer: Pick<Renderer, "fail">,
	debug = false,
): ExitCode {
	const failure = describeFailure(thrown);
	renderer.fail(failure);
	if (debug) process.stderr.write(`${stackTraces(thrown)}\n`);
	return failure.exitCode;
}

/** What to show for something thrown, and the exit code that goes with it. */
function describeFailure(thrown: unknown): Failure & { readonly exitCode: ExitCode } {
	if (thrown instanceof RbuildError) return thrown;
	const message = thrown instanceof Error ? thrown.message : String(thrown);
	return {
		message: `a bug in rbuild ${version()} (node ${process.version}, ${process.platform}): ${message}`,
		hint: "please report it with the output of the same command and --debug",
		exitCode: EXIT_CODES.bug,
	};
}

/** The stack traces of an error and of what caused it, for --debug. */
function stackTraces(thrown: unknown): string {
	const traces: string[] = [];
	for (let error = thrown; error instanceof Error; error = error.cause) {
		traces.push(`${traces.length === 0 ? "" : "caused by: "}${error.stack ?? error.message}`);
	}
	return traces.join("\n");
}
