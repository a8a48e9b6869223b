/** Bytes: a tar is made of such blocks, one for each header. */
export const TAR_BLOCK = 512;

/** The length of content with its padding. */
export function padded(bytes: number): number {
	return Math.ceil(bytes / TAR_BLOCK) * TAR_BLOCK;
}

/**
 * By its checksum (POSIX pax, "ustar Interchange Format"): the sum of all bytes in octal, with its own eight
 * taken as blanks. As in Go's archive/tar, it may have blanks and NULs before it.
 *
 * @param block what comes after it does not matter
 */
export function isTarHeader(block: Uint8Array): boolean {
	if (block.length < TAR_BLOCK) return false;
	let sum = 8 * 0x20;
	for (let at = 0; at < TAR_BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] as number;
	const checksum = Buffer.from(block.subarray(148, 156)).toString("latin1");
	return Number.parseInt(checksum.replace(/^[\0 ]+/, ""), 8) === sum;
}
