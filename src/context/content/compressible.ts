import { deflateRawSync } from "node:zlib";

/** Bytes that are tried, to see whether effort pays. */
const SAMPLE_BYTES = 16 * 1024;
/** A sample that shrinks to no less than this, of archives or images, say, is not worth it. */
const INCOMPRESSIBLE_RATIO = 0.95;

/** Tries a part from the middle, as the beginning may be a header. */
export function shrinks(content: Uint8Array): boolean {
	const start = Math.max(0, Math.floor((content.length - SAMPLE_BYTES) / 2));
	const sample = content.subarray(start, start + SAMPLE_BYTES);
	return deflateRawSync(sample, { level: 1 }).length < sample.length * INCOMPRESSIBLE_RATIO;
}
