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
	readonly platform: NodeJS.Platform;
	/** Relative paths in options are resolved against it. */
	readonly workingDirectory: string;
	/** Read instead of ~/.ssh/config, as ssh -F does. */
	readonly sshConfigFile?: string;
}
