import { writeFailure } from "../../disk/write-failure.js";
import { type DeliveryError, EXIT_CODES } from "../../errors.js";

/**
 * A reader that has seen enough (`| head`) is no error. A full disk behind the standard output is one, and is
 * told once, however much is written: at the end, unless the command has failed with it by then. Behind stderr
 * there is nobody left to tell.
 */
export function survivePipes(): void {
	let isLost = false;
	process.stderr.on("error", () => {});
	process.stdout.on("error", (error: NodeJS.ErrnoException) => {
		if (error.code === "EPIPE" || isLost) return;
		isLost = true;
		process.once("beforeExit", () => {
			if (process.exitCode === EXIT_CODES.delivery) return;
			const { message, hint } = lostOutput(error);
			process.stderr.write(`error: ${message}\nhint: ${hint}\n`);
			process.exitCode = EXIT_CODES.delivery;
		});
	});
}

/**
 * Aborts a command whose only result is its output, once the standard output cannot be written to, as on a full
 * disk. The reason is a DeliveryError.
 */
export function whileStdoutTakes(): Disposable & { readonly signal: AbortSignal } {
	const controller = new AbortController();
	const onError = (error: NodeJS.ErrnoException) => {
		if (error.code !== "EPIPE") controller.abort(lostOutput(error));
	};
	process.stdout.on("error", onError);
	return {
		signal: controller.signal,
		[Symbol.dispose]: () => void process.stdout.off("error", onError),
	};
}

/** A stream fails as the system does. */
function lostOutput(error: NodeJS.ErrnoException): DeliveryError {
	return writeFailure("the standard output", error) as DeliveryError;
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
