import type { Engine } from "../../engine/engine.js";
import { tagImage } from "../../engine/images.js";
import { DeliveryError } from "../../errors.js";
import { type CachedImage, readCachedImage } from "../../image/cache/cached-image.js";
import { DeliveryProgress } from "../../image/deliveries/delivery-progress.js";
import { makePlatformIndex, type PlatformIndex } from "../../image/platform-index.js";
import {
	ImageReturn,
	type ImageSource,
	type ReturnCache,
	type ReturnedImage,
} from "../../image/return/image-return.js";
import { NoReversePush } from "../../image/reverse/reverse-push.js";
import { together } from "../../together.js";
import type { PlannedRun } from "../planned-run.js";
import type { PlatformAnnotations } from "./annotations.js";
import type { BuiltPlatform } from "./built-platform.js";
import type { ReachedBox } from "./platform-boxes.js";

/** One image of all platforms, which is in the cache. */
export interface GatheredImage {
	readonly index: PlatformIndex;
	/** What the index leads to. */
	readonly contents: Pick<CachedImage, "root" | "manifests">;
	/** What came for it, and what was here. */
	readonly arrival: { readonly bytes: number; readonly reusedBytes: number };
}

/**
 * Gives the images their names on the boxes. Of a box that has built several, one gets them: that of the
 * box's own platform, unless another one is preferred.
 *
 * @throws EngineError, ConnectionError, InterruptedError
 */
export async function nameOnBoxes(
	built: readonly BuiltPlatform[],
	preferred: string | undefined,
	{ plan, run, failed }: PlannedRun,
): Promise<void> {
	const named = boxesOf(built).map((box) => {
		const own = built.filter((one) => one.box === box);
		const wish = (platform: string | undefined) => own.find((one) => one.platform === platform);
		return (wish(preferred) ?? wish(box.engine.facts.platform) ?? own[0]) as BuiltPlatform;
	});
	await together(
		failed,
		named.map(({ box, image }) =>
			box.connection.keep(async (engine) => {
				for (const tag of plan.tags) await tagImage(engine, image.id, tag, run.signal);
			}),
		),
	);
}

/**
 * Brings the images here, from all boxes side by side, each layer that is not here yet, and makes one of them.
 *
 * @throws DeliveryError, ConnectionError, InterruptedError
 */
export async function gatherImage(
	built: readonly BuiltPlatform[],
	annotations: PlatformAnnotations,
	cache: ReturnCache,
	{ failed }: PlannedRun,
): Promise<GatheredImage> {
	const fromBoxes = await together(
		failed,
		boxesOf(built).map((box) => bringFrom(box, built, cache)),
	);
	const brought = new Map(fromBoxes.flat());
	const images = built.map((one) => {
		const { image } = brought.get(one) as ReturnedImage;
		const { platform } = one;
		return { platform, image, annotations: annotations.ofDescriptor(platform) };
	});
	const index = await makePlatformIndex(cache.blobs, images, annotations.ofIndex);
	const contents = await readCachedImage(cache.blobs, index.root);
	if (contents === undefined) throw new DeliveryError("the image cache was emptied meanwhile");
	const sum = (field: "received" | "reused") =>
		[...brought.values()].reduce((bytes, image) => bytes + image[field], 0);
	return { index, contents, arrival: { bytes: sum("received"), reusedBytes: sum("reused") } };
}

/** What a box has built, one after the other: they share its link. */
async function bringFrom(
	box: ReachedBox,
	built: readonly BuiltPlatform[],
	cache: ReturnCache,
): Promise<readonly (readonly [BuiltPlatform, ReturnedImage])[]> {
	// Of all attempts, should the link be lost: what has come is not on the box any more.
	const brought = new Map<BuiltPlatform, ReturnedImage>();
	const returns = new ImageReturn(cache);
	await box.connection.keep(async (engine) => {
		for (const one of built) {
			if (one.box !== box || brought.has(one)) continue;
			brought.set(one, await bring(engine, one, returns));
		}
	});
	return [...brought];
}

async function bring(
	engine: Engine,
	{ platform, image, run }: BuiltPlatform,
	returns: ImageSource,
): Promise<ReturnedImage> {
	const { target } = engine.transport;
	const progress = new DeliveryProgress("bring", target, run.emit);
	const named = { ...image, mayGo: true };
	try {
		const brought = await returns.bring(engine, named, new Set(), progress, run);
		progress.done({ bytes: brought.received, reusedBytes: brought.reused });
		return brought;
	} catch (error) {
		if (!(error instanceof NoReversePush)) throw error;
		const message = `the image for ${platform} cannot be fetched from ${target}: ${error.message}`;
		throw new DeliveryError(message, {
			hint: "one image of several platforms is made on this side, so each box has to send its part over ssh",
		});
	}
}

function boxesOf(built: readonly BuiltPlatform[]): readonly ReachedBox[] {
	return [...new Set(built.map(({ box }) => box))];
}
