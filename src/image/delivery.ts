import type { Engine } from "../engine/engine.js";
import type { DeliveryReport, Run } from "../events.js";

/** An image in the store of the daemon that built it. */
export interface BuiltImage {
	/** "sha256:" and 64 hex digits, as that daemon calls it: the digest of its config or manifest. */
	readonly id: string;
	/** Where BuildKit told it: of no image of several manifests, nor by 20.10, nor of a tar. */
	readonly configDigest?: string;
	/** Every name it was given, as the user wrote them. */
	readonly tags: readonly string[];
	/** Set where that daemon need not keep it. */
	readonly mayGo?: boolean;
}

/** One way of getting a built image to where it is wanted: push, save or load. See export/ for all else. */
export interface Delivery {
	/** Set where a part that was handed over cannot be taken back, so that it cannot be done again. */
	readonly once?: true;
	/**
	 * @param engine the daemon that has the image
	 * @throws DeliveryError; ConnectionError when the link to that daemon breaks; InterruptedError
	 */
	deliver(engine: Engine, image: BuiltImage, run: Run): Promise<DeliveryReport>;
}
