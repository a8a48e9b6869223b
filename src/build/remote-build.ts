import type { BuildContext } from "../context/build-context.js";
import type { BuildReport, DeliveryReport, Run, UploadReport } from "../events.js";
import type { BuiltImage } from "../image/delivery.js";
import { registryCredentials } from "../image/registry-credentials.js";
import type { BuildPlan } from "./build-plan.js";
import { needsSolve, requireBuilder, requireNative } from "./builder-needs.js";
import type { DeliveryRooms } from "./deliveries.js";
import { Exports } from "./exports.js";
import type { LocalNeeds } from "./local-needs.js";
import { askForImages } from "./needed-context.js";
import { type OpenBuild, type Surroundings, withOpenBuild } from "./open-build.js";
import type { BuildOptions } from "./options.js";
import { checkSecrets } from "./secrets-check.js";

/**
 * Builds an image on a remote daemon and brings it where it was asked for.
 *
 * @throws RbuildError
 */
export function remoteBuild(
	options: BuildOptions,
	surroundings: Surroundings,
	caller: Run,
): Promise<BuildReport> {
	return withOpenBuild(
		options,
		surroundings,
		caller,
		(open) => build(open, surroundings),
		({ plan, context, needs, images }) => ({
			whileWaiting: () => loadAhead(needs),
			whileGreeting: (questions) => {
				needs.ask(questions);
				if (context.kind !== "directory" || !mayBeMinimal(plan)) return;
				askForImages(context, plan, questions, images).catch(() => {});
			},
		}),
	);
}

async function build(open: OpenBuild, { environment, stdout }: Surroundings): Promise<BuildReport> {
	const { plan, context, box, engine, needs, images, closing, stopwatch, run } = open;
	requireNative(plan, engine);
	await requireBuilder(plan, engine, context, run.signal);
	if (context.kind === "directory") {
		const { root, ignore, walked } = context;
		const { platform } = environment;
		await checkSecrets({ root, ignore, walked, platform }, plan.secretsCheck, run);
	}

	const { chooseTransfer } = await import("./choose-transfer.js");
	const { sessionServices } = await import("./session-services.js");
	const credentials = registryCredentials(environment, run);
	const services = sessionServices(plan, credentials, environment);
	const { image, uploadMs, upload, exports } = await stopwatch.time("build", () =>
		box.keep(
			async (engine) => {
				const exports = closing.use(new Exports(plan.exports, stdout, run));
				const rooms = { credentials, needs, images, environment };
				const served = [...services, ...exports.services];
				const { transfer, ...chosen } = await chooseTransfer(plan, engine, context, {
					...rooms,
					services: served,
				});
				if (plan.minimal && chosen.doubt !== undefined) warnOfDoubt(chosen.doubt, run);
				run.emit({ type: "transfer", transfer: transfer.name, ...chosen });
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
	const rooms = { environment, credentials, stdout, closing };
	const delivered = image ? await deliverAll(image, rooms, open) : [];
	const all = [...exported, ...delivered];
	const report = writeReport(open, upload, image, all);
	run.emit({ type: "done", report });
	return report;
}

function warnOfDoubt(doubt: string, { emit }: Run): void {
	const message = `--minimal leaves nothing out: ${doubt}`;
	emit({ type: "warning", message, hint: "more of the context may be needed than is seen here" });
}

/** An archive cannot always be read again, and what went to the standard output not be taken back. */
function isOnce(context: BuildContext, { exports }: BuildPlan): boolean {
	const read = context.kind === "archive" && context.once;
	return read || exports.some(({ destination }) => destination.kind === "stdout");
}

/** Whether the context may go as a tar with nothing in it that the build can do without. */
function mayBeMinimal(plan: BuildPlan): boolean {
	return plan.minimal !== false && plan.transfer !== "sync" && needsSolve(plan) === undefined;
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

async function deliverAll(
	image: BuiltImage,
	rooms: DeliveryRooms,
	{ plan, box, stopwatch, run }: OpenBuild,
): Promise<readonly DeliveryReport[]> {
	const { push, saves, load } = plan.deliveries;
	if (!push && !load && saves.length === 0) return [];
	const { planDeliveries } = await import("./deliveries.js");
	const reports: DeliveryReport[] = [];
	for (const delivery of planDeliveries(plan.tags, plan.deliveries, rooms, run)) {
		const deliver = () => box.keep((engine) => delivery.deliver(engine, image, run), delivery.once);
		reports.push(await stopwatch.time("deliver", deliver));
	}
	return reports;
}

function writeReport(
	{ plan, context, box, engine, stopwatch }: OpenBuild,
	upload: UploadReport | undefined,
	image: BuiltImage | undefined,
	deliveries: readonly DeliveryReport[],
): BuildReport {
	const { facts, transport } = engine;
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
