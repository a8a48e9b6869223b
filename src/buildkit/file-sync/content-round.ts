/** A round ends with so much content, or with this time where there was a little of it at least. */
const ROUND_BYTES = 1024 * 1024;
const ROUND_MS = 1_000;
const LEAST_ROUND_BYTES = 128 * 1024;

/** Whether enough was sent in one way to tell whether another one would be better. */
export function isRoundOver(bytes: number, elapsedMs: number): boolean {
	return bytes >= ROUND_BYTES || (elapsedMs >= ROUND_MS && bytes >= LEAST_ROUND_BYTES);
}
