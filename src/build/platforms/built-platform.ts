import type { UploadReport } from "../../events.js";
import type { BuiltImage } from "../../image/delivery.js";
import { together } from "../../together.js";
import { isOnce, sendBuild } from "../placed-build.js";
import type { RunResources } from "../run-resources.js";
import type { PlatformBuild, ReachedBox } from "./platform-boxes.js";
import { failureOf } from "./platform-news.js";

/** The image of one platform, in the store of its box, where it has no name yet. */
export interface BuiltPlatform extends PlatformBuild {
	readonly box: ReachedBox;
	readonly image: BuiltImage;
	readonly upload: UploadReport | undefined;
	/** Milliseconds. */
	readonly uploadMs: number;
	/** As in SentBuild. */
	readonly tidy: (() => Promise<void>) | undefined;
}

/**
 * Builds all that a box has to build, at the same time and over one connection.
 *
 * @param send what sends one build
 * @throws as sendBuild; the message says of which platform it is
 */
export async function buildOnBox(
	box: ReachedBox,
	resources: RunResources,
	send = sendBuild,
): Promise<readonly BuiltPlatform[]> {
	const once = box.builds.some(isOnce);
	const built = await box.connection.keep((engine) => {
		// Of this attempt alone: after a lost connection, all of them begin again.
		const failed = new AbortController();
		return together(
			failed,
			box.builds.map((build) => {
				const run = { ...build.run, signal: AbortSignal.any([build.run.signal, failed.signal]) };
				return buildOne(build, box, () => send(engine, build, resources, run));
			}),
		);
	}, once);
	for (const { tidy } of built) await tidy?.();
	return built;
}

async function buildOne(
	build: PlatformBuild,
	box: ReachedBox,
	send: () => ReturnType<typeof sendBuild>,
): Promise<BuiltPlatform> {
	try {
		const { image, upload, uploadMs, tidy } = await send();
		if (image === undefined) throw new Error(`no image was built for ${build.platform}`);
		return { ...build, box, image, upload, uploadMs, tidy };
	} catch (error) {
		throw failureOf(build.platform, error);
	}
}
