import type { Readable, Writable } from "node:stream";
import type { BuildOptions } from "./build/options.js";
import { remoteBuild } from "./build/remote-build.js";
import { processSurroundings } from "./cli/process-environment.js";
import type { Environment } from "./environment.js";
import type { BuildEvent, BuildReport } from "./events.js";

export type {
	BuildOptions,
	OutputOption,
	SaveOption,
	SecretOption,
	SshOption,
	Ulimit,
} from "./build/options.js";
export type { Environment, Prompt, PromptOptions } from "./environment.js";
export * from "./errors.js";
export type * from "./events.js";

export interface BuildHooks {
	/** Called with every piece of news; the same that `--progress json` prints. */
	readonly onEvent?: (event: BuildEvent) => void;
	/** Whether onEvent hears of each file that a sync sends ("sent-file"). Absent: false. */
	readonly sentFiles?: boolean;
	/** Aborting it cancels the build, on the daemon's machine too. */
	readonly signal?: AbortSignal;
	/** Absent: that of this process. */
	readonly environment?: Environment;
	/** For the context or the Dockerfile "-". Absent: that of this process. */
	readonly stdin?: Readable;
	/** For `save: "-"` and outputs to "-". Absent: that of this process. */
	readonly stdout?: Writable;
}

/**
 * Builds a container image on a remote Docker daemon, as the command `rbuild` does.
 *
 * @example
 * const { imageId } = await build({ context: ".", tags: ["app"], on: "x86box" });
 *
 * @throws RbuildError of the subclass that says what went wrong; anything else is a bug in rbuild.
 */
export function build(options: BuildOptions, hooks: BuildHooks = {}): Promise<BuildReport> {
	const { onEvent = () => {}, sentFiles, signal = new AbortController().signal, ...given } = hooks;
	const run = { emit: onEvent, signal, tellSentFiles: sentFiles };
	return remoteBuild(options, { ...processSurroundings(), ...given }, run);
}
