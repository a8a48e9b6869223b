import type { Environment } from "../environment.js";
import { DeliveryError } from "../errors.js";
import type { Delivery } from "./delivery.js";
import { DeliveryProgress } from "./delivery-progress.js";
import type { ImageSource } from "./image-return.js";
import { parseTag } from "./reference.js";
import type { CredentialSource } from "./registry-credentials.js";
import { NoReversePush } from "./reverse/reverse-push.js";

export interface PushRooms {
	readonly returns: ImageSource;
	readonly credentials: CredentialSource;
	readonly environment: Environment;
}

/**
 * One tag, pushed by this side: the image comes here by those layers that are not here yet, and goes to
 * the registry by those that are not there. The box need not see the registry, nor have a login.
 *
 * @param tag as the user wrote it
 * @throws UsageError when it is no tag
 */
export function pushFromHereDelivery(
	tag: string,
	{ returns, credentials, environment }: PushRooms,
): Delivery {
	const { familiar: destination, domain: registry } = parseTag(tag);
	return {
		async deliver(engine, image, run) {
			const progress = new DeliveryProgress("push", destination, run.emit);
			// What is told are the bytes that go.
			const news = { onBytes: () => {}, onLine: progress.onLine };
			const { image: returned, ...came } = await returns
				.bring(engine, image, new Set(), news, run)
				.catch((error: unknown) => {
					if (!(error instanceof NoReversePush)) throw error;
					const reason = `its layers do not come here from ${engine.transport.target}`;
					throw new DeliveryError(
						`cannot push ${destination} from this machine: ${reason}: ${error.message}`,
						{ hint: "have the box push it, if it sees the registry: --via daemon" },
					);
				});
			const { pushFromCache } = await import("./registry/client-push.js");
			const { cache } = returns;
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
			return progress.sent(pushed, { bytes: came.received, reusedBytes: came.reused });
		},
	};
}
