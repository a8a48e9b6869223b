import type { Engine } from "../../engine/engine.js";
import { inspectImage, listImages } from "../../engine/images.js";
import { EngineError } from "../../errors.js";
import { parseReference } from "../reference.js";
import { sharedStart } from "./local-layers.js";

/** Images that are looked at, the newest first. */
const MOST_IMAGES = 20;

/**
 * The repository of a registry from which a daemon has the image that another one was made from: a
 * registry takes layers over from there.
 *
 * @param registry as in image names, such as "docker.io"
 * @param diffIds the digests of the other's uncompressed layers, from the bottom
 * @returns undefined where there is none, or the daemon does not tell
 * @throws ConnectionError, InterruptedError
 */
export async function baseRepository(
	engine: Engine,
	registry: string,
	diffIds: readonly string[],
	signal: AbortSignal,
): Promise<string | undefined> {
	let best: { readonly repository: string; readonly shared: number } | undefined;
	try {
		const images = (await listImages(engine, signal)).flatMap(({ id, digests }) => {
			const repository = digests.flatMap((name) => repositoryAt(registry, name))[0];
			return repository === undefined ? [] : [{ id, repository }];
		});
		for (const { id, repository } of images.slice(0, MOST_IMAGES)) {
			const { layers } = await inspectImage(engine, id, signal);
			const shared = sharedStart(layers, diffIds);
			if (shared > (best?.shared ?? 0)) best = { repository, shared };
		}
	} catch (error) {
		if (!(error instanceof EngineError)) throw error;
	}
	return best?.repository;
}

function repositoryAt(registry: string, name: string): string[] {
	try {
		const { domain, path } = parseReference(name);
		return domain === registry ? [path] : [];
	} catch {
		return [];
	}
}
