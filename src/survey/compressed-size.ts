import { closeSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import { packTar } from "../context/content/tar-pack.js";
import { totalsOf } from "../context/entries/part-of-context.js";
import type { ContextEntry } from "../context/tree/manifest.js";
import type { SourceTree } from "../context/tree/source-tree.js";
import { ContextError } from "../errors.js";
import { padded, TAR_BLOCK } from "../tar-block.js";

/** What zlib looks back is half of this, so that it costs a sample little to begin anew. */
const SAMPLE_BYTES = 64 * 1024;
/** 4 MiB in all: about 0.1 s. */
const SAMPLES = 64;
/** Between what the adaptive gzip takes on a fast link and on a slow one. */
const LEVEL = 4;

interface CompressedSize {
	readonly bytes: number;
	/** How much of the files was compressed to find out; all of them where they are small. */
	readonly sampledBytes: number;
}

/**
 * How large the tar of the context becomes by gzip, from samples at equal distances in it: files and
 * headers have the weight that they have in the whole. Blocks its thread. What cannot be read is left
 * out.
 */
export function estimateCompressedSize(
	tree: SourceTree,
	entries: readonly ContextEntry[],
	contents: ReadonlyMap<string, Uint8Array>,
): CompressedSize {
	const ends = tarEnds(entries);
	const total = ends.at(-1) ?? 0;
	const samples = Math.max(1, Math.min(SAMPLES, Math.ceil(total / SAMPLE_BYTES)));
	let sampled = 0;
	let compressed = 0;
	for (let sample = 0; sample < samples; sample++) {
		const position = Math.floor((total * sample) / samples);
		const piece = tarPiece(tree, entries, contents, ends, position);
		sampled += piece.length;
		compressed += deflateRawSync(piece, { level: LEVEL }).length;
	}
	if (sampled === 0) return { bytes: 0, sampledBytes: 0 };
	// A tar has headers, too.
	const ofTar = Math.min(sampled, total) / total;
	return {
		bytes: Math.round((total * compressed) / sampled),
		sampledBytes: Math.round(totalsOf(entries).bytes * ofTar),
	};
}

/** Where each entry ends in the tar, but for the headers of long names. */
function tarEnds(entries: readonly ContextEntry[]): Float64Array {
	const ends = new Float64Array(entries.length);
	let end = 0;
	for (const [index, entry] of entries.entries()) {
		end += TAR_BLOCK + (entry.hardlink === undefined ? padded(entry.size) : 0);
		ends[index] = end;
	}
	return ends;
}

/** Some of the tar, from a position on; amid a large file, of that. */
function tarPiece(
	tree: SourceTree,
	entries: readonly ContextEntry[],
	contents: ReadonlyMap<string, Uint8Array>,
	ends: Float64Array,
	position: number,
): Buffer {
	const first = firstBeyond(ends, position);
	const entry = entries[first];
	if (entry === undefined) return Buffer.alloc(0);
	try {
		return entry.size > SAMPLE_BYTES && !contents.has(entry.path)
			? filePiece(tree, entry, position - (first === 0 ? 0 : (ends[first - 1] ?? 0)))
			: packedPiece(tree, entries, contents, first);
	} catch (error) {
		if (error instanceof ContextError) return Buffer.alloc(0);
		throw error;
	}
}

function filePiece(tree: SourceTree, { path, size }: ContextEntry, position: number): Buffer {
	const buffer = Buffer.allocUnsafe(SAMPLE_BYTES);
	const file = tree.open(path);
	try {
		const into = { buffer, at: 0, length: SAMPLE_BYTES };
		const read = tree.read(file, path, into, Math.max(0, Math.min(position, size - SAMPLE_BYTES)));
		return buffer.subarray(0, read);
	} finally {
		closeSync(file);
	}
}

function packedPiece(
	tree: SourceTree,
	entries: readonly ContextEntry[],
	contents: ReadonlyMap<string, Uint8Array>,
	first: number,
): Buffer {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for (const chunk of packTar(tree, entriesFrom(entries, first), contents)) {
		chunks.push(chunk.bytes);
		bytes += chunk.bytes.length;
		if (bytes >= SAMPLE_BYTES) break;
	}
	return Buffer.concat(chunks).subarray(0, SAMPLE_BYTES);
}

function* entriesFrom(entries: readonly ContextEntry[], first: number): Generator<ContextEntry> {
	for (let index = first; index < entries.length; index++) yield entries[index] as ContextEntry;
}

/** The index of the first end that is larger. */
function firstBeyond(ends: Float64Array, position: number): number {
	let low = 0;
	let high = ends.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((ends[middle] as number) > position) high = middle;
		else low = middle + 1;
	}
	return low;
}
