import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { ConnectionError } from "../../../errors.js";
import { programToStart } from "../../../installed-program.js";
import { systemReason } from "../../../system-reason.js";
import type { SshSettings, SshTarget } from "../config/ssh-settings.js";
import { placeOf } from "../ssh-link.js";
import { controlPath } from "./control-socket.js";

/** The user may have to type or to touch something; sshd's own LoginGraceTime is 120 s. */
const LOGIN_MS = 120_000;
const STDERR_LIMIT = 4096;

/** The ssh program of this machine, as it is called for one host. */
export class SshProgram {
	readonly #settings: SshSettings;
	readonly #arguments: readonly string[];

	/** @param folder of the shared connection's socket; undefined where each call is a login of its own */
	constructor(target: SshTarget, settings: SshSettings, folder: string | undefined) {
		const { sshConfigFile } = settings.environment;
		this.#settings = settings;
		this.#arguments = [
			...(sshConfigFile === undefined ? [] : ["-F", sshConfigFile]),
			...(target.user === undefined ? [] : ["-l", target.user]),
			...(target.port === undefined ? [] : ["-p", String(target.port)]),
			...(folder === undefined ? ["-o", "ControlPath=none"] : ["-S", controlPath(folder)]),
			"-T",
			...["ClearAllForwardings=yes", "PermitLocalCommand=no", "RemoteCommand=none"].flatMap(
				(option) => ["-o", option],
			),
		];
	}

	/** Asks the shared connection for something. Without the configuration, whose own forwardings would be asked for as well. */
	control(folder: string, command: string, more: readonly string[] = []): Promise<void> {
		const { environment, alias } = this.#settings;
		const { workingDirectory, variables } = environment;
		const argv = ["-F", "none", "-S", controlPath(folder), ...more, "-O", command, "--", alias];
		return new Promise((resolve, reject) => {
			const options = { cwd: workingDirectory, env: { ...variables }, timeout: 10_000 };
			execFile(programToStart("ssh", environment), argv, options, (error) =>
				error === null ? resolve() : reject(error),
			);
		});
	}

	/** Starts it, for as long as its caller wants. */
	spawn(argv: readonly string[]): ChildProcessWithoutNullStreams {
		const { environment } = this.#settings;
		const { workingDirectory, variables, prompt } = environment;
		return spawn(programToStart("ssh", environment), [...this.#arguments, ...argv], {
			cwd: workingDirectory,
			env: { ...variables },
			// On Windows, it would get a console that nobody sees, and ask its questions there.
			windowsHide: prompt === undefined,
		});
	}

	/**
	 * Waits until it ends, which is to be soon. Aborting ends it.
	 * @returns its exit code, null where it was killed, and the last of what it said
	 * @throws ConnectionError where there is no such program
	 */
	run(
		argv: readonly string[],
		signal: AbortSignal,
	): Promise<{ code: number | null; stderr: string }> {
		const child = this.spawn(argv);
		return new Promise((resolve, reject) => {
			let stderr = "";
			child.stdin.end();
			child.stdout.resume();
			child.stderr.on("data", (chunk: Buffer) => {
				stderr = (stderr + chunk.toString("utf8")).slice(-STDERR_LIMIT);
			});
			const end = () => child.kill();
			const timer = setTimeout(end, this.#settings.connectTimeoutMs + LOGIN_MS);
			const settle = () => {
				clearTimeout(timer);
				signal.removeEventListener("abort", end);
			};
			signal.addEventListener("abort", end, { once: true });
			if (signal.aborted) end();
			child.once("error", (error) => {
				settle();
				reject(
					new ConnectionError(
						"unreachable",
						`cannot reach ${placeOf(this.#settings)}: ssh cannot be run: ${systemReason(error)}`,
						{
							hint: "install OpenSSH's client, or use --ssh-client builtin",
							cause: error,
						},
					),
				);
			});
			// Not "close": what goes on in the background may hold the streams.
			child.once("exit", (code) => {
				settle();
				setImmediate(() => resolve({ code, stderr }));
			});
		});
	}
}
