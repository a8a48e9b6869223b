import { sizesFile } from "../cache-folder.js";
import type { Engine } from "../engine/engine.js";
import type { BuildReport, DeliveryReport, Run, UploadReport } from "../events.js";
import type { BuiltImage } from "../image/delivery.js";
import { checkSentSecrets } from "./inputs/sent-secrets.js";
import { type OpenBuild, withOpenBuild } from "./open-build.js";
import { isOnce, meanwhileFor, sendBuild } from "./placed-build.js";
import { requireBuilder, requireNative } from "./plan/builder-needs.js";
import type { BuildOptions } from "./plan/options.js";
import { platformsOf } from "./plan/platform-list.js";
import { phasesOf, type Surroundings } from "./planned-run.js";
import { type RunResources, runResources } from "./run-resources.js";

/**
 * Builds an image on a remote daemon and brings it where it was asked for.
 *
 * @throws RbuildError
 */
export async function remoteBuild(
	options: BuildOptions,
	surroundings: Surroundings,
	caller: Run,
): Promise<BuildReport> {
	const platforms = platformsOf(options.platform, surroundings.environment);
	if (platforms.length > 1) {
		const { buildPlatforms } = await import("./platforms/multi-build.js");
		return buildPlatforms(options, platforms, surroundings, caller);
	}
	const work = (open: OpenBuild) => build(open, surroundings);
	return withOpenBuild(options, surroundings, caller, work, meanwhileFor);
}

async function build(open: OpenBuild, surroundings: Surroundings): Promise<BuildReport> {
	const { environment } = surroundings;
	const { plan, context, images, box, engine, closing, stopwatch, run } = open;
	requireNative(plan, engine);
	await requireBuilder(plan, engine, context, run.signal);
	if (context.kind === "directory") {
		await checkSentSecrets(
			context,
			[{ plan, engine, images }],
			plan.secretsCheck,
			environment,
			run,
		);
		context.rememberSizes(sizesFile(context.root, environment));
	}

	const resources = runResources(surroundings, closing, run);
	const { image, uploadMs, upload, exports } = await stopwatch.time("build", async () => {
		const work = (engine: Engine) => sendBuild(engine, open, resources, run);
		const sent = await box.keep(work, isOnce(open));
		await sent.tidy?.();
		return sent;
	});
	stopwatch.add("upload", uploadMs);

	const exported = exports.isEmpty ? [] : await stopwatch.time("deliver", () => exports.commit());
	const delivered = image ? await deliverAll(image, resources, open) : [];
	const all = [...exported, ...delivered];
	const report = writeReport(open, upload, image, all);
	run.emit({ type: "done", report });
	return report;
}

async function deliverAll(
	image: BuiltImage,
	resources: RunResources,
	{ plan, box, stopwatch, run }: OpenBuild,
): Promise<readonly DeliveryReport[]> {
	const { push, saves, load } = plan.deliveries;
	if (!push && !load && saves.length === 0) return [];
	const { planDeliveries } = await import("./deliveries.js");
	const reports: DeliveryReport[] = [];
	for (const delivery of planDeliveries(plan.tags, plan.deliveries, resources, run)) {
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
		...(image?.configDigest === undefined ? {} : { configDigest: image.configDigest }),
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
		phases: phasesOf(stopwatch),
	};
}
