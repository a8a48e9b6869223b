import { BuildFailedError } from "../errors.js";
import type { Emit } from "../events.js";

/** What a daemon can lose of a build while it is at it, and how that is told. */
const LOSSES: readonly (readonly [RegExp, string])[] = [
	[
		// A tar, where the build cache is pruned between its arrival and its first use: BuildKit looks for it
		// again (source/http), but has read the request (moby builder-next/reqbodyhandler.go).
		/"http:\/\/build-context-\w+": context not found$/,
		"the build cache of the box was pruned meanwhile: sending the context again",
	],
	[
		// Layers of the image that is being stored, where an image is deleted, or another build ends, at that
		// time: containerd's store, before Docker 29.4 (moby/buildkit#6521).
		/failed to prepare extraction snapshot .*: parent snapshot \S+ does not exist: not found$/,
		"the box took layers of the image for garbage while it stored it: building again",
	],
];

/**
 * Builds, and does it again where the daemon has lost what it needs of the build.
 *
 * @param retries how often, at most
 * @throws what the build throws
 */
export async function buildAgainIfLost<Result>(
	build: () => Promise<Result>,
	retries: number,
	emit: Emit,
): Promise<Result> {
	for (let left = retries; ; left--) {
		try {
			return await build();
		} catch (error) {
			const message = left > 0 ? lossOf(error) : undefined;
			if (message === undefined) throw error;
			emit({ type: "warning", message });
		}
	}
}

function lossOf(error: unknown): string | undefined {
	if (!(error instanceof BuildFailedError)) return undefined;
	return LOSSES.find(([pattern]) => pattern.test(error.message))?.[1];
}
