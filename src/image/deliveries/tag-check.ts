import type { Engine } from "../../engine/engine.js";
import { inspectImage } from "../../engine/images.js";
import { DeliveryError, EngineError } from "../../errors.js";
import type { BuiltImage } from "../delivery.js";

const HINT = "was the same tag built on that machine at the same time? Then run rbuild again";

/**
 * To be called before a daemon pushes a tag, which others may have moved since the build.
 * @throws DeliveryError when it stands for another image
 */
export async function checkTag(
	engine: Engine,
	{ id }: BuiltImage,
	tag: string,
	signal: AbortSignal,
): Promise<void> {
	const found = await inspectImage(engine, tag, signal).catch((error: unknown) => {
		if (error instanceof EngineError && error.status === 404) return undefined;
		throw error;
	});
	if (found?.id === id) return;
	const what = found === undefined ? "is not there any more" : `stands for ${found.id} by now`;
	throw new DeliveryError(`${tag} is not pushed: on ${engine.transport.target} it ${what}`, {
		hint: HINT,
	});
}

/**
 * To be called after the push: docker notes down at an image under which digests it was pushed (moby,
 * distribution/push_v2.go); in containerd's store its id is that digest. Podman notes nothing.
 *
 * @param digest as the daemon told it
 * @throws DeliveryError when another image was pushed
 */
export async function checkPushed(
	engine: Engine,
	{ id }: BuiltImage,
	tag: string,
	digest: string,
	signal: AbortSignal,
): Promise<void> {
	if (engine.facts.product !== "docker" || digest === id) return;
	const { digests } = await inspectImage(engine, id, signal);
	if (digests.some((name) => name.endsWith(`@${digest}`))) return;
	throw new DeliveryError(
		`another image than ${id} was pushed as ${tag}, namely ${digest}: the tag was moved meanwhile`,
		{ hint: HINT },
	);
}
