import type { Readable, Writable } from "node:stream";
import type { FrontendAnswer } from "./build/frontend-answer.js";
import type { FrontendCall } from "./build/plan/build-plan.js";
import type { BuildOptions } from "./build/plan/options.js";
import type { Surroundings } from "./build/planned-run.js";
import { remoteBuild } from "./build/remote-build.js";
import { processSurroundings } from "./cli/process/process-environment.js";
import type { Environment } from "./environment.js";
import type { BuildEvent, BuildReport, DryRunReport, Run } from "./events.js";

export type { FrontendAnswer } from "./build/frontend-answer.js";
export type { FrontendCall } from "./build/plan/build-plan.js";
export type {
	BuildOptions,
	OutputOption,
	PushVia,
	SaveOption,
	SecretOption,
	SshOption,
	Ulimit,
} from "./build/plan/options.js";
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
	return remoteBuild(options, ...insides(hooks));
}

/**
 * Finds out what build() would do with the same options, and changes nothing, neither here nor on the box.
 * Where the box cannot be asked, an event "dry-run" still has what is known on this side.
 *
 * @throws RbuildError, as build() would before it sends anything
 */
export async function dryRun(options: BuildOptions, hooks: BuildHooks = {}): Promise<DryRunReport> {
	const { dryRun } = await import("./build/dry-run.js");
	return dryRun(options, ...insides(hooks));
}

/**
 * Asks the Dockerfile frontend of the box about the Dockerfile and builds nothing, as `--call`: its
 * warnings ("check"), its arguments, secrets and ssh mounts ("outline"), or its stages ("targets").
 *
 * @example
 * const { isFine, text } = await callFrontend("check", { context: ".", on: "x86box" });
 *
 * @throws RbuildError; an EngineError where the daemon or its frontend is too old for it
 */
export async function callFrontend(
	call: FrontendCall,
	options: BuildOptions,
	hooks: BuildHooks = {},
): Promise<FrontendAnswer> {
	const { callFrontend } = await import("./build/frontend-call.js");
	return callFrontend(call, options, ...insides(hooks));
}

function insides(hooks: BuildHooks): [surroundings: Surroundings, run: Run] {
	const { onEvent = () => {}, sentFiles, signal = new AbortController().signal, ...given } = hooks;
	const run = { emit: onEvent, signal, tellSentFiles: sentFiles };
	return [{ ...processSurroundings(), ...given }, run];
}
