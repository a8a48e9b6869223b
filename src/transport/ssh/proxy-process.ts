import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Duplex } from "node:stream";
import type { Environment } from "../../environment.js";
import { systemReason } from "../../system-reason.js";
import { tailOf } from "./daemon-route/remote-daemon.js";

/** How long a proxy may take to hang up, in milliseconds. */
const LAST_MS = 500;
const COMPLAINT_BYTES = 4096;

/**
 * A ProxyCommand and what it carries: its standard input and output. Destroying it ends the command.
 */
export class ProxyProcess extends Duplex {
	bytesRead = 0;
	bytesWritten = 0;
	readonly #child: ChildProcessWithoutNullStreams;
	#stderr = "";
	#ended: string | undefined;

	/** Runs the command with the user's shell, which it replaces, as OpenSSH does. */
	constructor(command: string, { variables, platform, workingDirectory }: Environment) {
		super({ allowHalfOpen: true });
		const isWindows = platform === "win32";
		// The shell becomes the command, so that there is one process to end.
		const shell = isWindows || variables.SHELL || "/bin/sh";
		this.#child = spawn(isWindows ? command : `exec ${command}`, {
			shell,
			cwd: workingDirectory,
			env: { ...variables },
			windowsHide: true,
		});
		const { stdin, stdout, stderr } = this.#child;
		stdout.on("data", (chunk: Buffer) => {
			this.bytesRead += chunk.length;
			if (!this.push(chunk)) stdout.pause();
		});
		stdout.on("error", () => {});
		stdin.on("error", () => {});
		stderr.setEncoding("utf8").on("data", (text: string) => {
			this.#stderr = (this.#stderr + text).slice(-COMPLAINT_BYTES);
		});
		this.#child.on("error", (error) => {
			const program = isWindows ? "the shell" : shell;
			this.#ended ??= `${program} cannot be run: ${systemReason(error)}`;
		});
		this.#child.once("exit", (code, signal) => {
			this.#ended ??= signal === null ? `exit code ${code}` : `ended by ${signal}`;
		});
		// Not before: whoever reads the end is to find out why.
		this.#child.once("close", () => this.push(null));
	}

	/** What it wrote to its standard error, or how it ended, in one line; empty where there is nothing. */
	get complaint(): string {
		return tailOf(this.#stderr) || (this.#ended === "exit code 0" ? "" : (this.#ended ?? ""));
	}

	override _read(): void {
		this.#child.stdout.resume();
	}

	override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
		this.bytesWritten += chunk.length;
		// Where it does not take any more, the end of what it says comes next.
		this.#child.stdin.write(chunk, () => done());
	}

	override _final(done: () => void): void {
		this.#child.stdin.end(() => done());
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		this.#child.stdin.end();
		this.#child.stdout.resume();
		if (this.#ended === undefined) {
			this.#child.kill("SIGHUP");
			const last = setTimeout(() => this.#child.kill("SIGKILL"), LAST_MS);
			this.#child.once("exit", () => clearTimeout(last));
		}
		done(error);
	}
}
