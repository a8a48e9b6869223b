import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** Why no command can be run on a terminal here, or undefined where one can. */
export function whyNoTerminal(): string | undefined {
	if (process.platform !== "linux") return "the terminal is made by util-linux's script";
	return spawnSync("script", ["--version"]).error && "there is no script (util-linux)";
}

/** A command on a terminal of its own, with somebody who types. */
interface OnTerminal {
	/** What is on the screen so far, with all that was ever written there. */
	readonly screen: () => string;
	/** Waits until the screen shows the text. */
	readonly shows: (text: string | RegExp) => Promise<void>;
	readonly type: (keys: string) => void;
	/** Closes the terminal, as its window is closed. */
	readonly close: () => void;
	/** @returns the exit code once it has ended; 128 and the signal's number after a signal */
	readonly end: () => Promise<number | null>;
}

/** @param command for the shell */
export function startOnTerminal(
	command: string,
	env: Readonly<Record<string, string>> = {},
): OnTerminal {
	const { CI: _, ...variables } = process.env;
	const child: ChildProcess = spawn("script", ["-qfec", command, "/dev/null"], {
		stdio: ["pipe", "pipe", "inherit"],
		env: { ...variables, TERM: "xterm", SHELL: "/bin/sh", ...env },
	});
	const ended = once(child, "close");
	let screen = "";
	child.stdout?.setEncoding("utf8").on("data", (text: string) => {
		screen += text;
	});
	return {
		screen: () => screen,
		async shows(text) {
			const isThere = () => (typeof text === "string" ? screen.includes(text) : text.test(screen));
			while (!isThere()) {
				const over = await Promise.race([
					ended.then(() => true),
					once(child.stdout ?? child, "data"),
				]);
				if (over === true && !isThere()) {
					throw new Error(`it ended without showing ${text}: ${screen}`);
				}
			}
		},
		type: (keys) => child.stdin?.write(keys),
		close: () => child.kill("SIGKILL"),
		async end() {
			await ended;
			return child.exitCode;
		},
	};
}
