import { EXIT_CODES } from "../../errors.js";
import { systemReason } from "../../system-reason.js";

/**
 * A reader that has seen enough (`| head`) is no error. A full disk behind the standard output is one, and is
 * told once, however much is written; behind stderr there is nobody left to tell.
 */
export function survivePipes(): void {
	let isTold = false;
	process.stderr.on("error", () => {});
	process.stdout.on("error", (error: NodeJS.ErrnoException) => {
		if (error.code === "EPIPE" || isTold) return;
		isTold = true;
		process.stderr.write(`error: cannot write to the standard output: ${systemReason(error)}\n`);
		process.exitCode = EXIT_CODES.delivery;
	});
}

/**
 * Aborts a command whose only result is its output, once the standard output cannot be written to, as on a full
 * disk. survivePipes() prints the reason.
 */
export function whileStdoutTakes(): Disposable & { readonly signal: AbortSignal } {
	const controller = new AbortController();
	const onError = ({ code }: NodeJS.ErrnoException) => {
		if (code !== "EPIPE") controller.abort();
	};
	process.stdout.on("error", onError);
	return {
		signal: controller.signal,
		[Symbol.dispose]: () => void process.stdout.off("error", onError),
	};
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
