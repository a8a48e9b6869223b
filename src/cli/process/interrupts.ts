import { InterruptedError } from "../../errors.js";

/** How long an interrupted run may take to cancel what it began, in milliseconds. */
const PATIENCE_MS = 5_000;
/** And after that to come to its end. */
const LAST_MS = 1_000;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What Ctrl-Break sends, which docker hears as Ctrl-C, too. */
const WINDOWS_SIGNALS = [...SIGNALS, "SIGBREAK"] as const;

/**
 * Ctrl-C, SIGTERM and a closed terminal cancel the run, which then cancels the remote build. A second
 * one does not wait for that, and nobody waits for ever: a thread of node's that opens a named pipe, or a
 * file of a server that is gone, cannot be stopped.
 *
 * @param lastWords called before the process is ended in that way
 */
export function onInterrupt(
	lastWords: () => void,
	platform: NodeJS.Platform = process.platform,
): Disposable & { readonly signal: AbortSignal } {
	const signals = platform === "win32" ? WINDOWS_SIGNALS : SIGNALS;
	const controller = new AbortController();
	let patience: NodeJS.Timeout | undefined;
	const stopListening = () => {
		clearTimeout(patience);
		for (const signal of signals) process.off(signal, interrupt);
	};
	const end = (signal: NodeJS.Signals) => {
		lastWords();
		stopListening();
		// Windows can end a process by few of them, and always in the same way.
		endBySignal(platform === "win32" ? "SIGINT" : signal);
	};
	const interrupt = (signal: NodeJS.Signals) => {
		if (controller.signal.aborted) return end(signal);
		patience = setTimeout(end, PATIENCE_MS, signal).unref();
		// Node 20 aborts at its exit, with a core dump, where a terminal is gone that it wants to set back.
		if (signal === "SIGHUP" && platform !== "win32")
			process.once("exit", () => endBySignal(signal));
		controller.abort(new InterruptedError("interrupted"));
	};
	for (const signal of signals) process.on(signal, interrupt);
	return { signal: controller.signal, [Symbol.dispose]: stopListening };
}

/**
 * What Ctrl-C does, where the terminal makes no signal of it. On Windows, a process that sends itself one is
 * ended by it, whoever listens.
 */
export function interruptOneself(platform: NodeJS.Platform = process.platform): void {
	const isHeard = platform === "win32" && process.emit("SIGINT", "SIGINT");
	if (!isHeard) endBySignal("SIGINT");
}

/** To be called at the end of an interrupted run, which may have left such a thread behind. */
export function endSoon(): void {
	setTimeout(endBySignal, LAST_MS, "SIGINT").unref();
}

/** process.exit() would wait for node's threads. Shells see an exit code of 128 and the signal's number. */
function endBySignal(signal: NodeJS.Signals): void {
	process.kill(process.pid, signal);
}
