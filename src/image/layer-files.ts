import { gunzipSync } from "node:zlib";
import { isGzip } from "../gzip-header.js";
import { isTarHeader, padded, TAR_BLOCK } from "../tar-block.js";

interface TarFile {
	readonly name: string;
	readonly content: Buffer;
}

/**
 * The files in the layers of an image archive (`docker save`), by name: of whatever version, as layers
 * are told by what they are, "ID/layer.tar" or "blobs/sha256/…". Only for archives that are small.
 *
 * @param limit bytes that are unpacked at most of a compressed layer, which then is as if it were not there
 */
export function layerFiles(archive: Buffer, limit: number): ReadonlyMap<string, Buffer> {
	const layers = tarFiles(archive).map(({ content }) => unpacked(content, limit));
	return new Map(layers.flatMap(tarFiles).map(({ name, content }) => [name, content]));
}

/** The regular files of a tar; none for what is no tar, and those before the end of what is cut off. */
function tarFiles(tar: Buffer): readonly TarFile[] {
	const files: TarFile[] = [];
	for (let at = 0; at + TAR_BLOCK <= tar.length; ) {
		const header = tar.subarray(at, at + TAR_BLOCK);
		if (!isTarHeader(header)) break;
		// A negative one would lead back to this header.
		const size = Math.max(0, Number.parseInt(header.toString("latin1", 124, 136), 8) || 0);
		const content = tar.subarray(at + TAR_BLOCK, at + TAR_BLOCK + size);
		const isFile = header[156] === 0 || header[156] === 0x30;
		if (isFile && content.length === size) {
			const name = header.toString("utf8", 0, 100).replace(/\0.*$/s, "");
			files.push({ name, content });
		}
		at += TAR_BLOCK + padded(size);
	}
	return files;
}

function unpacked(content: Buffer, limit: number): Buffer {
	if (!isGzip(content)) return content;
	try {
		return gunzipSync(content, { maxOutputLength: limit });
	} catch {
		return Buffer.alloc(0);
	}
}
