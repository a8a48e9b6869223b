import type { Readable, Writable } from "node:stream";
import { type BuildContext, openBuildContext } from "../context/build-context.js";
import type { Engine } from "../engine/engine.js";
import type { Environment } from "../environment.js";
import { InterruptedError } from "../errors.js";
import type { Run } from "../events.js";
import { readTransportSettings } from "../transport/open-transport.js";
import { BoxConnection, type BoxConnectionOptions, type BoxPlace } from "./box-connection.js";
import { type BuildPlan, planBuild } from "./build-plan.js";
import { sizesFile } from "./cache-folder.js";
import { type ChosenBox, chooseBox } from "./choose-box.js";
import { Closing } from "./closing.js";
import { LocalNeeds } from "./local-needs.js";
import type { BuildOptions } from "./options.js";
import { pathsToNote } from "./secrets-check.js";
import { Stopwatch } from "./stopwatch.js";
import { StoredImages } from "./stored-images.js";
import { keepingSecrets, secretsOf, withoutSecrets } from "./url-secret.js";

/** What a build needs of the process it runs in. */
export interface Surroundings {
	readonly environment: Environment;
	/** For the context or the Dockerfile "-". */
	readonly stdin: Readable;
	/** For `save: "-"` and outputs to "-". */
	readonly stdout: Writable;
}

type Phase = "connect" | "context" | "upload" | "build" | "deliver";

/** What every run begins with, and has until it ends. */
export interface OpenRun {
	readonly plan: BuildPlan;
	readonly context: BuildContext;
	readonly box: BoxConnection;
	readonly needs: LocalNeeds;
	readonly images: StoredImages;
	/** Closes what is opened, at the end of the run. */
	readonly closing: Closing;
	readonly stopwatch: Stopwatch<Phase>;
	readonly run: Run;
}

/** A run whose context is known and whose box was reached. */
export interface OpenBuild extends OpenRun {
	/** As it was when the box was first reached. */
	readonly engine: Engine;
}

/** What is done while the box is waited for. */
type Meanwhile = Pick<BoxConnectionOptions, "whileWaiting" | "whileGreeting">;

type MeanwhileOf = (run: Pick<OpenRun, "plan" | "context" | "needs" | "images">) => Meanwhile;

/**
 * Does something with a context and the box that is to build it. The context is walked while the
 * connection is made; the first failure stops everything else, on the daemon's machine too.
 *
 * @throws RbuildError
 */
export function withOpenBuild<Result>(
	options: BuildOptions,
	surroundings: Surroundings,
	caller: Run,
	work: (open: OpenBuild) => Promise<Result>,
	meanwhile?: MeanwhileOf,
): Promise<Result> {
	const reach = async (open: OpenRun, failed: AbortController) => {
		const { stopwatch, context, box, run } = open;
		const [, engine] = await together(failed, [
			stopwatch.time("context", () => readContext(context, run)),
			stopwatch.time("connect", () => box.open()),
		]);
		return work({ ...open, engine });
	};
	return withOpenRun(options, surroundings, caller, reach, meanwhile);
}

/**
 * Does something with a context that is being walked and a box that is not connected to yet.
 *
 * @param work is handed what stops everything, too
 * @throws RbuildError
 */
export async function withOpenRun<Result>(
	options: BuildOptions,
	surroundings: Surroundings,
	caller: Run,
	work: (open: OpenRun, failed: AbortController) => Promise<Result>,
	meanwhile: MeanwhileOf = () => ({}),
): Promise<Result> {
	const { environment } = surroundings;
	const stopwatch = new Stopwatch<Phase>();
	const failed = new AbortController();
	const secrets = secretsOf(options);
	const run = keepingSecrets(
		{ ...caller, signal: AbortSignal.any([caller.signal, failed.signal]) },
		secrets,
	);
	await using closing = new Closing();
	try {
		const plan = await planBuild(options, environment, run);
		const { chosen, opened, another } = await chooseBox(options, plan, environment, run, closing);
		const settings = readTransportSettings(chosen, environment, run.signal);
		// It may fail before it is waited for.
		settings.catch(() => {});
		const context = await openContext(options, plan, surroundings, closing, run);
		const images = new StoredImages(run.signal);
		const needs = new LocalNeeds(context, plan.request, images);
		const { retries } = plan;
		const box = closing.use(
			new BoxConnection(
				{
					...{ chosen, settings, opened, retries, ...meanwhile({ plan, context, needs, images }) },
					another: another && (() => anotherBox(another, environment, run)),
				},
				run,
			),
		);
		return await work({ plan, context, box, needs, images, closing, stopwatch, run }, failed);
	} catch (error) {
		failed.abort(error);
		throw caller.signal.aborted ? interruption(caller.signal) : withoutSecrets(error, secrets);
	}
}

async function anotherBox(
	another: () => Promise<ChosenBox>,
	environment: Environment,
	run: Run,
): Promise<BoxPlace> {
	const { chosen, opened } = await another();
	const settings = readTransportSettings(chosen, environment, run.signal);
	settings.catch(() => {});
	return { chosen, settings, opened };
}

/** What is wrong with the context's place is found out before anybody is called. */
async function openContext(
	{ context, file }: BuildOptions,
	{ secretsCheck }: BuildPlan,
	{ environment, stdin }: Surroundings,
	closing: Closing,
	run: Run,
): Promise<BuildContext> {
	run.emit({ type: "context", status: "started", source: context });
	const { workingDirectory, platform } = environment;
	const request = {
		context,
		file,
		workingDirectory,
		platform,
		stdin,
		note: pathsToNote(secretsCheck),
		sizesFileOf: (root: string) => sizesFile(root, environment),
	};
	return closing.use(await openBuildContext(request, run.signal));
}

/** Waits until all of it is known that is known beforehand. */
export async function readContext(context: BuildContext, run: Run): Promise<void> {
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

/** Waits for all of them, also when one fails: then the others are stopped, and its failure thrown. */
async function together<Results extends readonly unknown[]>(
	failed: AbortController,
	work: { readonly [Index in keyof Results]: Promise<Results[Index]> },
): Promise<Results> {
	let first: { readonly error: unknown } | undefined;
	const results = await Promise.all(
		work.map((one) =>
			one.catch((error: unknown) => {
				first ??= { error };
				failed.abort(error);
			}),
		),
	);
	if (first !== undefined) throw first.error;
	return results as unknown as Results;
}

function interruption({ reason }: AbortSignal): InterruptedError {
	return reason instanceof InterruptedError
		? reason
		: new InterruptedError("interrupted", { cause: reason });
}
