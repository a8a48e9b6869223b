import { pipeline } from "node:stream";
import type { Engine } from "../../engine/engine.js";
import { exportImage, inspectImage } from "../../engine/images.js";
import { EngineError } from "../../errors.js";
import type { BuiltImage } from "../delivery.js";
import { PROGRESS_STEP } from "../progress-step.js";
import { parseTag } from "../reference.js";
import { ArchiveCheck } from "./archive-check.js";
import { whyNotHere } from "./image-on-box.js";

/**
 * About the bytes of the whole image, where the daemon's count of them is that of its files: in containerd's
 * store it has the compressed layers, too.
 */
export async function archiveSize(
	engine: Engine,
	{ id }: BuiltImage,
	signal: AbortSignal,
): Promise<number | undefined> {
	try {
		const { size, isInGraphDriver } = await inspectImage(engine, id, signal);
		return isInGraphDriver && size > 0 ? size : undefined;
	} catch (error) {
		if (error instanceof EngineError) return undefined;
		throw error;
	}
}

/**
 * The whole image as `docker save` writes it, with all of its tags, checked while it is read.
 *
 * @param onProgress is told the bytes that have come so far
 * @throws DeliveryError when the daemon refuses; ConnectionError; InterruptedError. What goes wrong
 * later is the stream's error.
 */
export async function exportArchive(
	engine: Engine,
	image: BuiltImage,
	signal: AbortSignal,
	onProgress: (bytes: number) => void,
): Promise<ArchiveCheck> {
	// A name without its tag would stand for all tags of that repository.
	const names = image.tags.map((tag) => parseTag(tag).familiar);
	const body = await exportImage(engine, names.length > 0 ? names : [image.id], signal).catch(
		(error: unknown) => {
			throw whyNotHere(engine, image, "cannot export the image", error);
		},
	);
	const check = new ArchiveCheck(image.id);
	let received = 0;
	let reported = 0;
	body.on("data", (chunk: Buffer) => {
		received += chunk.length;
		if (received - reported < PROGRESS_STEP) return;
		reported = received;
		onProgress(received);
	});
	// Whoever reads the check is told of every failure, so there is nothing left to do with it here.
	return pipeline(body, check, () => {});
}
