import type { Engine } from "../../engine/engine.js";
import { inspectImage, type StoredImage } from "../../engine/images.js";
import { DeliveryError, EngineError } from "../../errors.js";
import type { BuiltImage } from "../delivery.js";

/**
 * What the box has of an image that is wanted here, which others may have removed since the build.
 * @throws DeliveryError when it is not there any more; ConnectionError; InterruptedError
 */
export async function imageOnBox(
	engine: Engine,
	image: BuiltImage,
	signal: AbortSignal,
): Promise<StoredImage> {
	return inspectImage(engine, image.id, signal).catch((error: unknown) => {
		throw whyNotHere(engine, image, `cannot bring image ${image.id} here`, error);
	});
}

/**
 * Why an image does not come.
 * @param failure what to say of a refusal that has other reasons than that it is gone
 */
export function whyNotHere(
	engine: Engine,
	{ id, tags: [name = id] }: BuiltImage,
	failure: string,
	error: unknown,
): unknown {
	if (!(error instanceof EngineError)) return error;
	if (error.status !== 404) {
		const { message, hint } = error;
		return new DeliveryError(`${failure}: ${message}`, { hint, cause: error });
	}
	return new DeliveryError(`the image ${name} is not on ${engine.transport.target} any more`, {
		hint: "was it removed there, or was its tag built anew, at the same time? Then run rbuild again",
		cause: error,
	});
}
