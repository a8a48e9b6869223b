import type { FrameFilter, InsertFrame } from "./filtered-frames.js";

/** The frame by which grpc-go learns how much is on its way (internal/transport/bdp_estimator.go). */
const ESTIMATE = Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 2, 4, 16, 16, 9, 14, 7, 7]);

/** Of a round trip: what a window let through has mostly arrived by then. */
const PART_OF_ROUND_TRIP = 1 / 4;
/** On a nearer link the windows are open before anybody notices, in milliseconds. */
const NEAR_MS = 5;

/**
 * Has a gRPC client open its window twice as fast.
 *
 * grpc-go begins with a window of 64 KiB. With the first data it sends a PING, and its window becomes twice
 * what arrived before the answer. Answered at once, the answer overtakes what the window has just let
 * through: then the window doubles every second round trip only. Held back until that is on its way, the
 * same PING makes it four times as large. Other PINGs, which ask for signs of life, are not held back.
 *
 * @param roundTripMs of the link
 */
export function latePings(roundTripMs: number) {
	return (insert: InsertFrame, closed: AbortSignal): FrameFilter => {
		let timer: NodeJS.Timeout | undefined;
		closed.addEventListener("abort", () => clearTimeout(timer), { once: true });
		return {
			wants: (header) =>
				roundTripMs >= NEAR_MS && ESTIMATE.subarray(0, header.length).equals(header),
			pass(frame) {
				if (timer !== undefined || !frame.equals(ESTIMATE)) return frame;
				timer = setTimeout(() => {
					timer = undefined;
					insert(ESTIMATE);
				}, roundTripMs * PART_OF_ROUND_TRIP);
				return Buffer.alloc(0);
			},
		};
	};
}
