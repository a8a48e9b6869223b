/**
 * What a run may know of the machine and the user it runs for. The command line fills it from the
 * process, a library user or a test from anywhere; nothing below src/cli asks the process itself.
 */
export interface Environment {
	/** Environment variables. */
	readonly variables: Readonly<Record<string, string | undefined>>;
	/** The user's home directory, absolute. */
	readonly homeDirectory: string;
	/** The login name, the default user of an ssh target. */
	readonly userName: string;
	/** The name of this machine, for an ssh configuration that uses it. */
	readonly machineName?: string;
	/** The number of the user, for the same, and for whose key files others must not read. */
	readonly userId?: number;
	readonly platform: NodeJS.Platform;
	/** Relative paths in options are resolved against it. */
	readonly workingDirectory: string;
	/** Read instead of ~/.ssh/config, as ssh -F does. */
	readonly sshConfigFile?: string;
	/** What logs in: rbuild itself, the ssh program of this machine, or what fits; absent means that. */
	readonly sshClient?: SshClient;
	/** Absent where there is nobody to ask: without a terminal, and in CI. */
	readonly prompt?: Prompt | undefined;
}

export type SshClient = "auto" | "builtin" | "system";

/** The way to ask the user something while a run goes on. */
export interface Prompt {
	/**
	 * Asks one question, after those that are being asked.
	 *
	 * @param question Shown as it is, in front of the answer; it must hold no control characters but line
	 * breaks.
	 * @returns what was typed, without its line break; undefined where the user ended the input (Ctrl-D)
	 * @throws InterruptedError
	 */
	ask(question: string, options: PromptOptions): Promise<string | undefined>;
	/** Leaves the terminal to another program, until what is returned is disposed of. */
	lend?(): Disposable | undefined;
}

export interface PromptOptions {
	/** Shows nothing of what is typed, as for a passphrase. */
	readonly hidden?: boolean;
	readonly signal: AbortSignal;
}
