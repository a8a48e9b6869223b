import type { Transform } from "node:stream";
import zlib from "node:zlib";
import { DeliveryError } from "../../errors.js";

/** Node has it from 22.15 and 23.8 on. */
const { createZstdCompress } = zlib as { readonly createZstdCompress?: () => Transform };

/**
 * What a file's name asks for: gzip for .gz and .tgz, zstd for .zst, .zstd and .tzst.
 * @param layers of the image; where they are compressed already, little is to be gained
 */
export function compressionOf(
	path: string,
	{ layers }: { readonly layers: "compressed" | "plain" },
): readonly Transform[] {
	const options = layers === "compressed" ? { level: 1 } : {};
	if (/\.t?gz$/i.test(path)) return [zlib.createGzip(options)];
	if (isZstd(path) && createZstdCompress !== undefined) return [createZstdCompress()];
	return [];
}

/** @throws DeliveryError for a name that asks for what this node cannot do */
export function checkCompression(path: string): void {
	if (!isZstd(path) || createZstdCompress !== undefined) return;
	throw new DeliveryError(`cannot save to ${path}: this version of Node has no zstd`, {
		hint: "use Node 22.15 or later, or a name in .tar.gz",
	});
}

function isZstd(path: string): boolean {
	return /\.(?:tzst|zstd?)$/i.test(path);
}
