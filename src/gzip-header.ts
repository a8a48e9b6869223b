/** RFC 1952, 2.3: deflate, no name, no time, unknown system. */
export const GZIP_HEADER = Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

const MAGIC = GZIP_HEADER.subarray(0, 2);

/** Whether a file that begins like this is a gzip. */
export function isGzip(start: Buffer): boolean {
	return start.subarray(0, MAGIC.length).equals(MAGIC);
}
