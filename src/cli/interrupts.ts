import { EXIT_CODES, InterruptedError } from "../errors.js";

/**
 * Ctrl-C, SIGTERM and a closed terminal cancel the run, which then cancels the remote build. A second
 * one does not wait for that.
 */
export function onInterrupt(lastWords: () => void): Disposable & { readonly signal: AbortSignal } {
	const controller = new AbortController();
	const interrupt = () => {
		if (controller.signal.aborted) {
			lastWords();
			process.exit(EXIT_CODES.interrupted);
		}
		controller.abort(new InterruptedError("interrupted"));
	};
	const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
	for (const signal of signals) process.on(signal, interrupt);
	return {
		signal: controller.signal,
		[Symbol.dispose]() {
			for (const signal of signals) process.off(signal, interrupt);
		},
	};
}
