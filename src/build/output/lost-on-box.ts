import { BuildFailedError } from "../../errors.js";
import type { Emit } from "../../events.js";

/** What a daemon can lose of a build while it is at it. */
interface Loss {
	/** In its words. */
	readonly pattern: RegExp;
	/** Told where it is built again. */
	readonly warning: string;
	/** Where it is not. */
	readonly hint: string;
}

export const LOSSES: readonly Loss[] = [
	{
		// A tar, where the build cache is pruned between its arrival and its first use: BuildKit looks for it
		// again (source/http), but has read the request (moby builder-next/reqbodyhandler.go). In a session it gets
		// another one, unless that was an archive that can be read once (buildkit/upload.ts).
		pattern:
			/"http:\/\/build-context-\w+": context not found$|the build context was lost on the box, /,
		warning: "the build cache of the box was pruned meanwhile: sending the context again",
		hint: "its build cache was pruned while it built: build again",
	},
	{
		// Layers of the image that is being stored, where an image is deleted, or another build ends, at that
		// time: containerd's store, before Docker 29.4 (moby/buildkit#6521).
		pattern:
			/failed to prepare extraction snapshot .*: parent snapshot \S+ does not exist: not found$/,
		warning: "the box garbage-collected layers of the image while storing it: building again",
		hint: "the box garbage-collected layers of the image while storing it, as Docker before 29.4 may beside other builds and deletions: build again",
	},
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
			const loss = left > 0 ? lossOf(error) : undefined;
			if (loss === undefined) throw error;
			emit({ type: "warning", message: loss.warning });
		}
	}
}

function lossOf(error: unknown): Loss | undefined {
	if (!(error instanceof BuildFailedError)) return undefined;
	return LOSSES.find(({ pattern }) => pattern.test(error.message));
}
