import { gzipSync } from "node:zlib";
import { shrinks } from "./compressible.js";
import type { ContentChunk, ContentPiece } from "./content-reader.js";

/** What has to be saved, in bytes, for what a compressed message takes more than another. */
const LEAST_GAIN = 64;
/** Shorter ones hardly save that. */
const SHORTEST_PIECE = 256;
/** What is not longer is tried as a whole. */
const SAMPLED_PIECE = 16 * 1024;

/**
 * Compresses the pieces of chunks, each for itself, and leaves those as they are that do not shrink.
 * Blocks its thread meanwhile.
 */
export class ContentGzip {
	/** The file whose last piece shrank: then the next one needs no trial. */
	#shrinking: number | undefined;

	/** @param level of zlib; 0 leaves everything as it is */
	compress(chunk: ContentChunk, level: number): ContentChunk {
		if (level === 0) return chunk;
		const started = performance.now();
		const parts: Uint8Array[] = [];
		const pieces: ContentPiece[] = [];
		let used = 0;
		for (const piece of chunk.pieces) {
			const content = chunk.bytes.subarray(piece.start, piece.end);
			const gzip = this.#gzip(piece.id, content, level);
			const part = gzip ?? content;
			const start = used;
			used += part.length;
			parts.push(part);
			const { id, last } = piece;
			const unpacked = gzip === undefined ? {} : { gzipOf: content.length };
			pieces.push({ id, start, end: used, last, ...unpacked });
		}
		return {
			bytes: joined(parts, used),
			pieces,
			compression: { level, durationMs: performance.now() - started },
		};
	}

	#gzip(id: number, content: Uint8Array, level: number): Uint8Array | undefined {
		if (content.length < SHORTEST_PIECE) return undefined;
		if (content.length > SAMPLED_PIECE && this.#shrinking !== id && !shrinks(content)) {
			return undefined;
		}
		const gzip = gzipSync(content, { level });
		const pays = gzip.length + LEAST_GAIN < content.length;
		this.#shrinking = pays ? id : undefined;
		return pays ? gzip : undefined;
	}
}

/** In memory of its own, which can be handed to another thread. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(length);
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}
