import type { Engine } from "../../engine/engine.js";
import { runsNatively } from "../../engine/platforms.js";
import { DeliveryError } from "../../errors.js";
import type { DeliveryReport, Run } from "../../events.js";
import { imageLayout } from "../../image/archive/image-layout.js";
import { DeliveryProgress } from "../../image/deliveries/delivery-progress.js";
import { loadDelivery } from "../../image/deliveries/load.js";
import { saveLayout } from "../../image/deliveries/save.js";
import type { PlatformIndex } from "../../image/platform-index.js";
import { pushFromCache } from "../../image/registry/client-push.js";
import { ImageReturn, type ReturnCache } from "../../image/return/image-return.js";
import { openLocalEngine } from "../deliveries.js";
import { imageCache } from "../image-cache.js";
import type { PlannedRun } from "../planned-run.js";
import type { RunResources } from "../run-resources.js";
import type { PlatformAnnotations } from "./annotations.js";
import type { BuiltPlatform } from "./built-platform.js";
import { type GatheredImage, gatherImage, nameOnBoxes } from "./gathered-image.js";

/** The platform that is loaded into the daemon of this machine. */
interface PlatformToLoad {
	readonly platform: string;
	readonly local: Engine;
}

/**
 * Of several platforms, that of the local daemon.
 * @throws DeliveryError where there is none; ConnectionError
 */
export async function platformToLoad(
	platforms: readonly string[],
	resources: Pick<RunResources, "environment" | "closing">,
	run: Run,
): Promise<PlatformToLoad> {
	const local = await openLocalEngine(resources, run);
	const own = local.facts.platform;
	const platform =
		platforms.find((one) => one === own) ?? platforms.find((one) => runsNatively(one, own));
	if (platform !== undefined) return { platform, local };
	throw new DeliveryError(
		`none of ${platforms.join(", ")} can be loaded: ${local.transport.target} is ${own}`,
		{ hint: `add ${own} to --platform, or leave --load out` },
	);
}

export interface DeliveredPlatforms {
	/** Absent where nothing was to be pushed or saved. */
	readonly index: PlatformIndex | undefined;
	/** The image that was loaded. */
	readonly loaded: BuiltPlatform | undefined;
	readonly deliveries: readonly DeliveryReport[];
}

interface PlatformsOrder {
	readonly annotations: PlatformAnnotations;
	readonly toLoad: PlatformToLoad | undefined;
	readonly resources: RunResources;
}

/**
 * Gives the images their names on their boxes, makes one of them for what is pushed or saved, and brings
 * that, and the one to load, where they are wanted.
 *
 * @throws DeliveryError, ConnectionError, EngineError, InterruptedError
 */
export async function deliverPlatforms(
	built: readonly BuiltPlatform[],
	{ annotations, toLoad, resources }: PlatformsOrder,
	planned: PlannedRun,
): Promise<DeliveredPlatforms> {
	const { saves, push } = planned.plan.deliveries;
	const cache = imageCache(resources.environment);
	await nameOnBoxes(built, toLoad?.platform, planned);
	const isGathered = push !== false || saves.length > 0;
	const gathered = isGathered ? await gatherImage(built, annotations, cache, planned) : undefined;
	const pushed =
		gathered && push !== false ? await pushAll(gathered, cache, resources, planned) : [];
	const saved = gathered ? await saveAll(gathered, cache, annotations, resources, planned) : [];
	const loaded = built.find(({ platform }) => platform === toLoad?.platform);
	const load = toLoad && loaded ? [await loadOne(loaded, toLoad.local, cache, planned)] : [];
	return { index: gathered?.index, loaded, deliveries: [...pushed, ...saved, ...load] };
}

/** From here, as no daemon has all of it. */
async function pushAll(
	{ index: { root }, arrival }: GatheredImage,
	{ blobs: cache }: ReturnCache,
	{ credentials, environment }: RunResources,
	{ plan, run }: PlannedRun,
): Promise<readonly DeliveryReport[]> {
	const reports: DeliveryReport[] = [];
	for (const tag of plan.tags) {
		const progress = new DeliveryProgress("push", tag, run.emit);
		const push = { cache, root, tag, credentials, environment, onProgress: progress.onSent };
		reports.push(progress.sent(await pushFromCache(push, run), arrival));
	}
	return reports;
}

async function saveAll(
	{ contents, arrival }: GatheredImage,
	{ blobs }: ReturnCache,
	{ ofIndexDescriptor: annotations }: PlatformAnnotations,
	{ stdout }: RunResources,
	{ plan, run }: PlannedRun,
): Promise<readonly DeliveryReport[]> {
	const reports: DeliveryReport[] = [];
	for (const place of plan.deliveries.saves) {
		const entries = await imageLayout(blobs, contents, { tags: plan.tags, annotations });
		reports.push(await saveLayout(place, stdout, entries, arrival, run));
	}
	return reports;
}

function loadOne(
	{ box, image, run }: BuiltPlatform,
	local: Engine,
	cache: ReturnCache,
	{ plan }: PlannedRun,
): Promise<DeliveryReport> {
	const delivery = loadDelivery(async () => local, new ImageReturn(cache));
	const named = { ...image, tags: plan.tags };
	return box.connection.keep((engine) => delivery.deliver(engine, named, run));
}
