import { text } from "node:stream/consumers";
import { isWorthCompressing } from "../../context/content/compression-level.js";
import type { Engine } from "../../engine/engine.js";
import { EngineError } from "../../errors.js";

/** A smaller upload is over before it matters, in bytes. */
const LEAST_BYTES = 4 * 1024 * 1024;
/** No busy moment makes a near box look farther than this, in milliseconds. */
const SURELY_FAR_MS = 40;
const TRIES = 3;

/**
 * Whether a box is so far that an upload to it is worth compressing. A near one that was busy when it was
 * reached looks far, too: it is asked again, because the same context would come as other bytes the next
 * time, which BuildKit does not know and unpacks anew.
 *
 * @param bytes to upload; undefined where nobody knows
 * @throws ConnectionError, InterruptedError
 */
export async function isFarBox(
	engine: Engine,
	bytes: number | undefined,
	signal: AbortSignal,
): Promise<boolean> {
	let { roundTripMs } = engine;
	const mayBeNear = roundTripMs < SURELY_FAR_MS && (bytes ?? 0) >= LEAST_BYTES;
	for (let tries = 0; mayBeNear && tries < TRIES && isWorthCompressing(roundTripMs); tries++) {
		roundTripMs = Math.min(roundTripMs, await ping(engine, signal));
	}
	return isWorthCompressing(roundTripMs);
}

/** Milliseconds; any answer will do. */
async function ping(engine: Engine, signal: AbortSignal): Promise<number> {
	const askedAt = performance.now();
	try {
		const { body } = await engine.request({ method: "GET", path: "/_ping", signal });
		const took = performance.now() - askedAt;
		await text(body);
		return took;
	} catch (error) {
		if (error instanceof EngineError) return performance.now() - askedAt;
		throw error;
	}
}
