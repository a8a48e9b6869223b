import { createHash } from "node:crypto";
import { deflateSync, inflateSync } from "node:zlib";

/**
 * One of the byte strings that a content index is stored as. Whatever happens to it on its way through
 * files and daemons, it is either what was written or is not taken for a part.
 *
 *     "rbuild index 1" NUL NUL, the generation (16 bytes), the key (32), a time (double, little-endian),
 *     the deflated table, and the SHA-256 of all this
 */
export interface IndexPart extends IndexPartHeader {
	/** A PathTable, see content-index.ts. */
	readonly table: Buffer;
}

export interface IndexPartHeader {
	/** The copies that the index is about: those under one key that were made since it last was lost. */
	readonly generation: Buffer;
	/** SHA-256 of the context key. */
	readonly key: Buffer;
	/** When the files were sent, by this side's clock, in milliseconds since 1970. */
	readonly syncedAt: number;
}

export const GENERATION_BYTES = 16;

const MAGIC = Buffer.from("rbuild index 1\0\0");
const KEY_AT = MAGIC.length + GENERATION_BYTES;
const TIME_AT = KEY_AT + 32;
const TABLE_AT = TIME_AT + 8;
const CHECKSUM_BYTES = 32;

/** Longest table that is unpacked, in bytes: some two million files. */
const TABLE_LIMIT = 256 * 1024 * 1024;

export function writeIndexPart({ generation, key, syncedAt, table }: IndexPart): Buffer {
	const time = Buffer.alloc(8);
	time.writeDoubleLE(syncedAt);
	const content = Buffer.concat([MAGIC, generation, key, time, deflateSync(table)]);
	return Buffer.concat([content, checksum(content)]);
}

/** Undefined for what is no such part, or is not whole. */
export function readIndexHeader(bytes: Uint8Array): IndexPartHeader | undefined {
	const part = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	const end = part.length - CHECKSUM_BYTES;
	if (end < TABLE_AT || !part.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
	if (!checksum(part.subarray(0, end)).equals(part.subarray(end))) return undefined;
	return {
		generation: part.subarray(MAGIC.length, KEY_AT),
		key: part.subarray(KEY_AT, TIME_AT),
		syncedAt: part.readDoubleLE(TIME_AT),
	};
}

/** Undefined for what is no such part, or is not whole. */
export function readIndexPart(bytes: Uint8Array): IndexPart | undefined {
	const header = readIndexHeader(bytes);
	if (header === undefined) return undefined;
	try {
		const deflated = bytes.subarray(TABLE_AT, bytes.length - CHECKSUM_BYTES);
		return { ...header, table: inflateSync(deflated, { maxOutputLength: TABLE_LIMIT }) };
	} catch {
		return undefined;
	}
}

function checksum(content: Uint8Array): Buffer {
	return createHash("sha256").update(content).digest();
}
