import type { Engine } from "../../engine/engine.js";
import { DeliveryError } from "../../errors.js";
import type { Run } from "../../events.js";
import type { BlobCache } from "../cache/blob-cache.js";
import { blobsOf, readCachedImage, recordedImage, recordImage } from "../cache/cached-image.js";
import type { BuiltImage } from "../delivery.js";
import { asDigest } from "../manifest/digest.js";
import { exportArchive } from "./archive-export.js";
import { storeArchive } from "./archived-image.js";
import type { ReturnedImage } from "./image-return.js";

/**
 * Brings an image into the cache from a daemon that can only send it as a whole: once, where its id is
 * that of its configuration, as then it is the same whatever manifest it has.
 *
 * @param onComing called if it is not in the cache
 * @throws DeliveryError, ConnectionError, InterruptedError
 */
export async function bringWhole(
	engine: Engine,
	image: BuiltImage,
	cache: BlobCache,
	onComing: () => void,
	run: Run,
): Promise<ReturnedImage> {
	const id = asDigest(image.id, "the image id");
	const known = await recordedImage(cache, id);
	const before = known && (await readCachedImage(cache, known));
	if (before !== undefined) {
		const blobs = blobsOf(before);
		const sizes = await Promise.all(blobs.map(({ digest }) => cache.use(digest, run.signal)));
		const reused = blobs.reduce((bytes, { size }) => bytes + size, 0);
		if (!sizes.includes(undefined)) return { image: before, received: 0, reused };
	}
	onComing();
	const archive = await exportArchive(engine, image, run.signal, () => {});
	const root = await storeArchive(archive, cache, run.signal);
	const stored = await readCachedImage(cache, root);
	if (stored === undefined) throw new DeliveryError("the image cache was emptied meanwhile");
	if (stored.config.digest === id) await recordImage(cache, id, root).catch(() => {});
	return { image: stored, received: archive.bytes, reused: 0 };
}
