import type { Readable, Writable } from "node:stream";
import { type BuildContext, openBuildContext } from "../context/build-context.js";
import type { Engine } from "../engine/engine.js";
import { runsNatively } from "../engine/platforms.js";
import type { Environment } from "../environment.js";
import { EngineError, InterruptedError } from "../errors.js";
import type { BuildReport, DeliveryReport, Run, UploadReport } from "../events.js";
import type { BuiltImage, Delivery } from "../image/delivery.js";
import { registryCredentials } from "../image/registry-credentials.js";
import { chooseTarget } from "../target/choose-target.js";
import { readTransportSettings } from "../transport/open-transport.js";
import { BoxConnection } from "./box-connection.js";
import { type BuildPlan, planBuild } from "./build-plan.js";
import { requireBuilder } from "./builder-needs.js";
import { Closing } from "./closing.js";
import { planDeliveries } from "./deliveries.js";
import { Exports } from "./exports.js";
import { LocalNeeds } from "./local-needs.js";
import type { BuildOptions } from "./options.js";
import { Stopwatch } from "./stopwatch.js";
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

/**
 * Builds an image on a remote daemon and brings it where it was asked for. The context is walked while
 * the connection is made; the first failure stops everything else, on the daemon's machine too.
 *
 * @throws RbuildError
 */
export async function remoteBuild(
	options: BuildOptions,
	surroundings: Surroundings,
	caller: Run,
): Promise<BuildReport> {
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
		const chosen = await chooseTarget(options, environment);
		const settings = readTransportSettings(chosen, environment, run.signal);
		// It may fail before it is waited for.
		settings.catch(() => {});
		const context = await openContext(options, surroundings, closing, run);
		const needs = new LocalNeeds(context, plan.request, run.signal);
		const box = closing.use(
			new BoxConnection(
				{
					chosen,
					settings,
					retries: plan.retries,
					whileWaiting: () => loadAhead(needs),
					whileGreeting: (questions) => needs.ask(questions),
				},
				run,
			),
		);
		const [, engine] = await together(failed, [
			stopwatch.time("context", () => readContext(context, run)),
			stopwatch.time("connect", () => box.open()),
		]);
		requireNative(plan, engine);
		await requireBuilder(plan, engine, context, run.signal);

		const { chooseTransfer } = await import("./choose-transfer.js");
		const { sessionServices } = await import("./session-services.js");
		const credentials = registryCredentials(environment, run);
		const services = sessionServices(plan, credentials, environment);
		const { image, uploadMs, upload, exports } = await stopwatch.time("build", () =>
			box.keep(
				async (engine) => {
					const exports = closing.use(new Exports(plan.exports, surroundings.stdout, run));
					const rooms = { credentials, needs, environment };
					const served = [...services, ...exports.services];
					const { transfer, reason } = await chooseTransfer(plan, engine, context, {
						...rooms,
						services: served,
					});
					run.emit({ type: "transfer", transfer: transfer.name, reason });
					try {
						return { ...(await transfer.send(engine, context, plan, run)), exports };
					} catch (error) {
						// The daemon only tells in its words what went wrong on this side.
						throw exports.failure ?? error;
					}
				},
				isOnce(context, plan),
			),
		);
		stopwatch.add("upload", uploadMs);

		const exported = await stopwatch.time("deliver", () => exports.commit());
		const rooms = { environment, credentials, stdout: surroundings.stdout, closing };
		const deliveries = planDeliveries(plan, rooms, run);
		const delivered = image ? await deliverAll(deliveries, box, image, stopwatch, run) : [];
		const all = [...exported, ...delivered];
		const report = writeReport(plan, engine, box, context, upload, image, all, stopwatch);
		run.emit({ type: "done", report });
		return report;
	} catch (error) {
		failed.abort(error);
		throw caller.signal.aborted ? interruption(caller.signal) : withoutSecrets(error, secrets);
	}
}

/** An archive cannot always be read again, and what went to the standard output not be taken back. */
function isOnce(context: BuildContext, { exports }: BuildPlan): boolean {
	const read = context.kind === "archive" && context.once;
	return read || exports.some(({ destination }) => destination.kind === "stdout");
}

/** What is wrong with the context's place is found out before anybody is called. */
export async function openContext(
	{ context, file }: BuildOptions,
	{ environment, stdin }: Surroundings,
	closing: Closing,
	run: Run,
): Promise<BuildContext> {
	run.emit({ type: "context", status: "started", source: context });
	const { workingDirectory, platform } = environment;
	const request = { context, file, workingDirectory, platform, stdin };
	return closing.use(await openBuildContext(request, run.signal));
}

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

/** The heaviest modules, loaded while the network is waited for. */
function loadAhead(needs: LocalNeeds): void {
	for (const module of [
		import("../engine/http-connection.js"),
		import("./choose-transfer.js"),
		import("./session-services.js"),
	]) {
		// Who needs it will hear of the failure.
		module.catch(() => {});
	}
	needs.read();
}

/** Waits for all of them, also when one fails: then the others are stopped, and its failure thrown. */
export async function together<Results extends readonly unknown[]>(
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

/** @throws EngineError for a platform that the daemon's machine could only emulate */
function requireNative(
	{ platform, allowEmulation }: BuildPlan,
	{ facts, transport }: Engine,
): void {
	if (platform === undefined || allowEmulation || runsNatively(platform, facts.platform)) return;
	throw new EngineError(
		`${transport.target} is ${facts.platform} and cannot run ${platform} natively`,
		{ hint: `build on a ${platform} box, or add --allow-emulation to have it emulated, slowly` },
	);
}

async function deliverAll(
	deliveries: readonly Delivery[],
	box: BoxConnection,
	image: BuiltImage,
	stopwatch: Stopwatch<Phase>,
	run: Run,
): Promise<readonly DeliveryReport[]> {
	const reports: DeliveryReport[] = [];
	for (const delivery of deliveries) {
		const deliver = () => box.keep((engine) => delivery.deliver(engine, image, run), delivery.once);
		reports.push(await stopwatch.time("deliver", deliver));
	}
	return reports;
}

function writeReport(
	plan: BuildPlan,
	{ facts, transport }: Engine,
	box: BoxConnection,
	context: BuildContext,
	upload: UploadReport | undefined,
	image: BuiltImage | undefined,
	deliveries: readonly DeliveryReport[],
	stopwatch: Stopwatch<Phase>,
): BuildReport {
	return {
		...(image === undefined ? {} : { imageId: image.id }),
		tags: plan.tags,
		platform: plan.platform ?? facts.platform,
		target: transport.target,
		engine: facts,
		deliveries,
		contextKind: context.kind,
		...(context.kind === "directory" ? { context: context.totals() } : {}),
		...(upload === undefined ? {} : { upload }),
		wire: { sent: box.wire.sent, received: box.wire.received },
		retries: box.retries,
		phases: {
			connect: stopwatch.spent("connect"),
			context: stopwatch.spent("context"),
			upload: stopwatch.spent("upload"),
			build: stopwatch.spent("build"),
			deliver: stopwatch.spent("deliver"),
			total: stopwatch.total,
		},
	};
}

export function interruption({ reason }: AbortSignal): InterruptedError {
	return reason instanceof InterruptedError
		? reason
		: new InterruptedError("interrupted", { cause: reason });
}
