import type { Readable, Writable } from "node:stream";
import { Closing } from "../closing.js";
import { type BuildContext, openBuildContext } from "../context/build-context.js";
import { UNREAD_IGNORE_FILE } from "../context/dockerfile-location.js";
import type { Environment } from "../environment.js";
import type { BuildReport, Run } from "../events.js";
import { interrupted } from "../interruption.js";
import { Stopwatch } from "../stopwatch.js";
import { NamedDirectories } from "./inputs/named-directories.js";
import { pathsToNote } from "./inputs/secrets-check.js";
import { checkTarget } from "./inputs/target-check.js";
import { actionsTokens } from "./plan/actions-cache.js";
import { type BuildPlan, planBuild } from "./plan/build-plan.js";
import type { BuildOptions } from "./plan/options.js";
import { keepingSecrets, secretsOf, withoutSecrets } from "./plan/url-secret.js";

/** What a build needs of the process it runs in. */
export interface Surroundings {
	readonly environment: Environment;
	/** For the context or the Dockerfile "-". */
	readonly stdin: Readable;
	/** For `save: "-"` and outputs to "-". */
	readonly stdout: Writable;
}

type Phase = "connect" | "context" | "upload" | "build" | "deliver";

/** What a run has before it knows of any box. */
export interface PlannedRun {
	readonly plan: BuildPlan;
	/** Closes what is opened, at the end of the run. */
	readonly closing: Closing;
	readonly stopwatch: Stopwatch<Phase>;
	readonly run: Run;
	/** Stops everything. */
	readonly failed: AbortController;
}

/**
 * Does something as planned by checked options. The first failure stops everything else.
 * @throws RbuildError
 */
export async function withPlannedRun<Result>(
	options: BuildOptions,
	{ environment }: Surroundings,
	caller: Run,
	work: (planned: PlannedRun) => Promise<Result>,
): Promise<Result> {
	const stopwatch = new Stopwatch<Phase>();
	const failed = new AbortController();
	const secrets = [...secretsOf(options), ...actionsTokens(options, environment)];
	const run = keepingSecrets(
		{ ...caller, signal: AbortSignal.any([caller.signal, failed.signal]) },
		secrets,
	);
	await using closing = new Closing();
	try {
		const plan = await planBuild(options, environment, run);
		return await work({ plan, closing, stopwatch, run, failed });
	} catch (error) {
		failed.abort(error);
		throw caller.signal.aborted ? interrupted(caller.signal) : withoutSecrets(error, secrets);
	}
}

/** Begins to walk a directory. What is wrong with the context's place is found out before anybody is called. */
export async function openContext(
	{ context, file }: BuildOptions,
	{ plan, closing, run }: PlannedRun,
	{ environment, stdin }: Surroundings,
): Promise<BuildContext> {
	run.emit({ type: "context", status: "started", source: context });
	const { workingDirectory, platform } = environment;
	const request = {
		context,
		file,
		workingDirectory,
		platform,
		stdin,
		note: pathsToNote(plan.secretsCheck),
	};
	const opened = closing.use(await openBuildContext(request, run.signal));
	if (opened.kind === "directory" && opened.unreadIgnoreFile !== undefined) {
		run.emit({ type: "warning", ...UNREAD_IGNORE_FILE });
	}
	await checkTarget(opened, plan.request);
	return opened;
}

/** Begins to walk them, likewise. @throws ContextError */
export async function openNamedDirectories({
	plan,
	closing,
	run,
}: PlannedRun): Promise<NamedDirectories> {
	const { namedContexts } = plan.buildkit;
	return closing.use(await NamedDirectories.open(namedContexts, plan.secretsCheck, run));
}

/** Waits until all of it is known that is known beforehand. */
export async function awaitContext(context: BuildContext, run: Run): Promise<void> {
	const startedAt = performance.now();
	if (context.kind === "directory") await context.walked;
	run.emit({
		type: "context",
		status: "done",
		source: context.source,
		kind: context.kind,
		durationMs: performance.now() - startedAt,
		...(context.kind === "directory" ? { totals: context.totals() } : {}),
	});
}

/** For the report: to a tenth of a millisecond, below which nothing was measured. */
export function phasesOf(stopwatch: Stopwatch<Phase>): BuildReport["phases"] {
	const spent = (phase: Phase) => rounded(stopwatch.spent(phase));
	return {
		connect: spent("connect"),
		context: spent("context"),
		upload: spent("upload"),
		build: spent("build"),
		deliver: spent("deliver"),
		total: rounded(stopwatch.total),
	};
}

function rounded(milliseconds: number): number {
	return Math.round(milliseconds * 10) / 10;
}
