import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { Writable } from "node:stream";
import { ReadStream } from "node:tty";
import type { Prompt, PromptOptions } from "../../environment.js";
import { InterruptedError } from "../../errors.js";
import { isCi } from "../../render/progress-mode.js";
import { interruptOneself } from "./interrupts.js";

/** The terminal of this process, whatever its standard input is: that may be the context. */
const TERMINAL = "/dev/tty";

/**
 * Asks at the terminal.
 *
 * @param pause clears away what is drawn there, until what it returns is disposed of
 * @returns undefined where there is nobody to answer
 */
export function terminalPrompt(pause: () => Disposable | undefined): Prompt | undefined {
	if (!process.stderr.isTTY || isCi(process.env) || !canRead()) return undefined;
	let last: Promise<unknown> = Promise.resolve();
	return {
		ask(question, options) {
			const answer = last.then(() => askNow(question, options, pause));
			last = answer.catch(() => {});
			return answer;
		},
		lend: pause,
	};
}

function canRead(): boolean {
	if (process.platform === "win32") return process.stdin.isTTY === true;
	try {
		closeSync(openSync(TERMINAL, "r"));
		return true;
	} catch {
		return false;
	}
}

async function askNow(
	question: string,
	{ hidden = false, signal }: PromptOptions,
	pause: () => Disposable | undefined,
): Promise<string | undefined> {
	if (signal.aborted) throw interruption();
	const { createInterface } = await import("node:readline");
	using _paused = pause();
	const { stderr } = process;
	const windows = process.platform === "win32";
	const input: Readable = windows ? process.stdin : new ReadStream(openSync(TERMINAL, "r"));
	const lines = createInterface({
		input,
		output: hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : stderr,
		terminal: true,
		historySize: 0,
	});
	if (hidden) stderr.write(question);
	let answer: string | undefined;
	try {
		answer = await new Promise<string | undefined>((resolve, reject) => {
			signal.addEventListener("abort", () => reject(interruption()), { once: true });
			// The terminal sends no signals while keys are read one by one.
			lines.once("SIGINT", () => interruptOneself());
			lines.once("close", () => resolve(undefined));
			// Ctrl-Z pauses the input, and readline leaves it to us to go on with `fg`.
			lines.on("SIGCONT", () => {
				if (hidden) stderr.write(question);
				lines.prompt(true);
			});
			// A terminal that is closed fails twice: when it is read, and when readline sets it back.
			input.once("error", () => resolve(undefined));
			lines.on("error", () => resolve(undefined));
			lines.question(hidden ? "" : question, resolve);
		});
		return answer;
	} finally {
		lines.close();
		if (!windows) input.destroy();
		// readline ends the line only where it shows what is typed.
		if (hidden || answer === undefined) stderr.write("\n");
	}
}

function interruption(): InterruptedError {
	return new InterruptedError("interrupted at a question");
}
