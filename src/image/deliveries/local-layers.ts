import type { Engine } from "../../engine/engine.js";
import { inspectImage, listImages } from "../../engine/images.js";
import { EngineError } from "../../errors.js";
import { type Digest, isDigest } from "../manifest/digest.js";

/** Images that are looked at, the newest first. */
const MOST_IMAGES = 200;
/** Questions at once. */
const AT_ONCE = 4;

/**
 * The layers of an image that a daemon has already, by the digests of their uncompressed content: those
 * that the image begins with, in common with one that is there. Only a graph driver's store keeps layers
 * by their content, and takes an archive without them; for others there are none.
 *
 * @param diffIds of the image, from the bottom
 * @throws ConnectionError, InterruptedError
 */
export async function layersThere(
	engine: Engine,
	diffIds: readonly string[],
	signal: AbortSignal,
): Promise<ReadonlySet<Digest>> {
	if (engine.facts.product !== "docker") return new Set();
	const images = await listImages(engine, signal).catch(unlessRefused);
	const waiting = images?.slice(0, MOST_IMAGES) ?? [];
	let shared = 0;
	const look = async () => {
		for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
			const image = await inspectImage(engine, next.id, signal).catch(unlessRefused);
			if (image === undefined) continue;
			// One answer is enough to know the store.
			if (!image.isInGraphDriver) waiting.length = 0;
			else shared = Math.max(shared, sharedStart(image.layers, diffIds));
			if (shared === diffIds.length) return;
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, look));
	return new Set(diffIds.slice(0, shared).filter(isDigest));
}

/** How many layers two images begin with in common. */
export function sharedStart(some: readonly string[], others: readonly string[]): number {
	const different = others.findIndex((layer, index) => layer !== some[index]);
	return different < 0 ? others.length : different;
}

function unlessRefused(error: unknown): undefined {
	if (!(error instanceof EngineError)) throw error;
}
