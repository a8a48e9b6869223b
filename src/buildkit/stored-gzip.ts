import { crc32 } from "node:zlib";
import { GZIP_HEADER } from "../gzip-header.js";

/** RFC 1951, 3.2.4: the last block, and it is stored. */
const STORED = 1;

/**
 * Up to 64 KiB as a gzip of their own, as they are. Gzips one behind the other are one (RFC 1952, 2.2):
 * so a few bytes can be put before what was compressed elsewhere.
 */
export function storedGzip(content: Uint8Array): Uint8Array {
	const { length } = content;
	const gzip = Buffer.allocUnsafe(GZIP_HEADER.length + 5 + length + 8);
	gzip.set(GZIP_HEADER);
	let at = gzip.writeUInt8(STORED, GZIP_HEADER.length);
	at = gzip.writeUInt16LE(length, at);
	at = gzip.writeUInt16LE(~length & 0xffff, at);
	gzip.set(content, at);
	at = gzip.writeUInt32LE(crc32(content), at + length);
	gzip.writeUInt32LE(length, at);
	return gzip;
}
