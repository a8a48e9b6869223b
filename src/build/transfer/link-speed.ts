import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, readKeptFile } from "../../cache-folder.js";
import { replaceCacheFile } from "../../disk/cache-file.js";
import type { Environment } from "../../environment.js";

/** Less says more of the daemon than of the link. */
const TELLING_BYTES = 4 * 1024 * 1024;
/**
 * And so does an upload of which the daemon and the way to it took more than this share: the link is at least
 * as fast, which is news only where it was taken for slower.
 */
const TELLING_SHARE = 0.25;

/** What a box was sent. */
interface MeasuredUpload {
	readonly sentBytes: number;
	readonly durationMs: number;
	/** Milliseconds that it would have taken over the fastest link, too. */
	readonly leastMs: number;
}

/** How fast the link to a box was when something large was sent: in bytes a millisecond, if known. */
export async function readLinkSpeed(
	environment: Environment,
	target: string,
): Promise<number | undefined> {
	try {
		const speed = Number(String(await readKeptFile(pathOf(environment, target))));
		return speed > 0 ? speed : undefined;
	} catch {
		return undefined;
	}
}

/**
 * Remembers how fast an upload was. One that was held up by the daemon, or by another on the same line,
 * brings the figure down by half at most. Never fails: it only helps to choose.
 *
 * @param before what was known
 */
export async function noteLinkSpeed(
	environment: Environment,
	target: string,
	{ sentBytes, durationMs, leastMs }: MeasuredUpload,
	before = 0,
): Promise<void> {
	if (sentBytes < TELLING_BYTES || durationMs <= 0) return;
	const speed = sentBytes / durationMs;
	const tellsMore = before > 0 && speed > before;
	if (leastMs > TELLING_SHARE * durationMs && !tellsMore) return;
	const line = Buffer.from(`${Math.max(speed, before / 2).toFixed(3)}\n`);
	await replaceCacheFile(pathOf(environment, target), line).catch(() => {});
}

function pathOf(environment: Environment, target: string): string {
	const name = createHash("sha256").update(target).digest("hex");
	return join(cacheFolder(environment), "link-speed", name);
}
