const CHECK_MS = 2_500;
/** With a keep-alive going out every 10 s, two of them are unanswered by then: 25 s. */
const SILENT_CHECKS = 10;

/**
 * Tells when nothing at all has come from the far side for so long, or 25 s.
 *
 * Counting unanswered keep-alives, as ssh2 does, would end a link that is only slow: the answer stands
 * behind whatever is being uploaded. Any byte proves that the far side is there. Checks are counted, not
 * time, so that a laptop that wakes up does not take its own sleep for silence.
 * @param seconds rounded up to the next multiple of 2.5
 * @returns a function that ends the watch.
 */
export function watchSilence(
	receivedBytes: () => number,
	onSilence: () => void,
	seconds = SILENCE_SECONDS,
): () => void {
	const checks = Math.ceil((seconds * 1000) / CHECK_MS);
	let received = receivedBytes();
	let silent = 0;
	const timer = setInterval(() => {
		const now = receivedBytes();
		silent = now === received ? silent + 1 : 0;
		received = now;
		if (silent === checks) {
			onSilence();
		}
	}, CHECK_MS);
	timer.unref();
	return () => clearInterval(timer);
}

export const SILENCE_SECONDS = (CHECK_MS * SILENT_CHECKS) / 1000;
