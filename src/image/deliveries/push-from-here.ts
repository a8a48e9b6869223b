import type { Environment } from "../../environment.js";
import type { CredentialSource } from "../credentials/registry-credentials.js";
import type { Delivery } from "../delivery.js";
import { parseTag } from "../reference.js";
import type { ImageSource } from "../return/image-return.js";
import { NoReversePush } from "../reverse/reverse-push.js";
import { DeliveryProgress } from "./delivery-progress.js";

/** What a push from here works with. */
interface PushResources {
	readonly returns: ImageSource;
	readonly credentials: CredentialSource;
	readonly environment: Environment;
}

/**
 * One tag, pushed by this side: the image comes here by those layers that are not here yet, or as a whole
 * where that is the only way, and goes to the registry by those that are not there. The box need not see
 * the registry, nor have a login.
 *
 * @param tag as the user wrote it
 * @throws UsageError when it is no tag
 */
export function pushFromHereDelivery(
	tag: string,
	{ returns, credentials, environment }: PushResources,
): Delivery {
	const { familiar: destination, domain: registry } = parseTag(tag);
	return {
		async deliver(engine, image, run) {
			const progress = new DeliveryProgress("push", destination, run.emit);
			const { cache } = returns;
			// What is told are the bytes that go.
			const news = { onBytes: () => {}, onLine: progress.onLine };
			const { image: returned, ...came } = await returns
				.bring(engine, image, new Set(), news, run)
				.catch(async (error: unknown) => {
					if (!(error instanceof NoReversePush)) throw error;
					const { bringWhole } = await import("../return/whole-image.js");
					const onComing = () => progress.comesWhole(error.message, undefined);
					const whole = await bringWhole(engine, image, cache, onComing, run);
					return whole.received === 0 ? whole : { ...whole, whole: error.message };
				});
			const { pushFromCache } = await import("../registry/client-push.js");
			const diffIds = returned.layers.map(({ diffId }) => diffId);
			const { baseRepository } = await import("./base-repository.js");
			const mountFrom = await baseRepository(engine, registry, diffIds, run.signal);
			const pushed = await pushFromCache(
				{
					...{ cache, root: returned.root, tag, credentials, environment, mountFrom },
					onProgress: progress.onSent,
				},
				run,
			);
			const { received: bytes, reused: reusedBytes, ...why } = came;
			return progress.sent(pushed, { bytes, reusedBytes, ...why });
		},
	};
}
