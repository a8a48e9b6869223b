import { padded, TAR_BLOCK } from "../../tar-block.js";
import type { ContextEntry, EntryType } from "../tree/manifest.js";
import { toBytes } from "../tree/path-bytes.js";

/**
 * Headers of the GNU tar format ("Basic Tar Format" in the GNU tar manual). It holds names of any
 * length as the bytes they are, and sizes above 8 GiB; Go's archive/tar, which every daemon reads
 * with, takes all of it. PAX would want UTF-8.
 */

const NAME_BYTES = 100;
const LONG_LINK = Buffer.from("././@LongLink");

/** The digits "0" to "6". */
const HARDLINK_FLAG = 0x31;
const TYPE_FLAGS: Readonly<Record<EntryType, number>> = {
	file: 0x30,
	symlink: 0x32,
	"char-device": 0x33,
	"block-device": 0x34,
	directory: 0x35,
	fifo: 0x36,
};

/** Something that can be written into a tar: its header and the room that this takes. */
export interface TarHeader {
	/** Bytes, a multiple of 512. */
	readonly length: number;
	/** Writes the header at an offset. */
	write(into: Buffer, at: number): void;
}

/** Where the fields are, and how long; numbers end with a NUL or a blank. */
const MODE = { at: 100, digits: 7 };
const OWNERS = [
	{ at: 108, digits: 7 },
	{ at: 116, digits: 7 },
];
const SIZE = { at: 124, digits: 11 };
const TIME = { at: 136, digits: 11 };
const CHECKSUM = { at: 148, digits: 6 };
const TYPE_FLAG = 156;
const TARGET = 157;
const MAGIC = 257;
const MAJOR = { at: 329, digits: 7 };
const MINOR = { at: 337, digits: 7 };

type NumberField = typeof MODE;

/** In nanoseconds. */
const SECOND = 1_000_000_000n;

const ZERO = 0x30;
const BLANK = 0x20;

/** What all headers have in common; the checksum counts its own field as blanks. */
const COMMON = commonBlock();
const COMMON_SUM = COMMON.reduce((sum, byte) => sum + byte, 0);

/** The header of an entry; the content of a file, padded to 512 bytes, has to follow it. */
export function tarHeader(entry: ContextEntry): TarHeader {
	const name = toBytes(entry.type === "directory" ? `${entry.path}/` : entry.path);
	const target = toBytes(entry.hardlink ?? entry.linkname ?? "");
	return {
		length: TAR_BLOCK + longNameLength(name) + longNameLength(target),
		write(into, at) {
			const afterTarget = at + writeLongName("K", target, into, at);
			const header = afterTarget + writeLongName("L", name, into, afterTarget);
			writeBlock(entry, name, target, into, header);
		},
	};
}

// Thousands of headers are written before V8 has compiled any of this: each writes its bytes itself, and
// counts them for the checksum.
function writeBlock(
	{ type, mode, size, mtimeMs, modTime, hardlink, device }: ContextEntry,
	name: Uint8Array,
	target: Uint8Array,
	into: Buffer,
	block: number,
): void {
	const seconds = modTime === undefined ? Math.floor(mtimeMs / 1000) : Number(modTime / SECOND);
	into.set(COMMON, block);
	let sum = COMMON_SUM + writeName(name, into, block);
	sum += writeNumber(mode, into, block, MODE);
	sum += writeNumber(hardlink === undefined ? size : 0, into, block, SIZE);
	sum += writeNumber(seconds, into, block, TIME);
	const flag = hardlink === undefined ? TYPE_FLAGS[type] : HARDLINK_FLAG;
	into[block + TYPE_FLAG] = flag;
	sum += flag + writeName(target, into, block + TARGET);
	if (device !== undefined && hardlink === undefined) {
		sum += writeNumber(device.major, into, block, MAJOR);
		sum += writeNumber(device.minor, into, block, MINOR);
	}
	seal(sum, into, block);
}

/** An entry before the real one whose content is a name that does not fit into its field. */
function writeLongName(type: "K" | "L", name: Uint8Array, into: Buffer, block: number): number {
	const length = longNameLength(name);
	if (length === 0) return 0;
	into.fill(0, block + TAR_BLOCK, block + length);
	into.set(COMMON, block);
	const flag = type.charCodeAt(0);
	into[block + TYPE_FLAG] = flag;
	let sum = COMMON_SUM + flag + writeName(LONG_LINK, into, block);
	sum += writeNumber(0, into, block, MODE);
	sum += writeNumber(name.length + 1, into, block, SIZE);
	sum += writeNumber(0, into, block, TIME);
	seal(sum, into, block);
	into.set(name, block + TAR_BLOCK);
	return length;
}

function longNameLength(name: Uint8Array): number {
	return name.length > NAME_BYTES ? TAR_BLOCK + padded(name.length + 1) : 0;
}

/** As much of a name as fits; the sum of its bytes. */
function writeName(name: Uint8Array, into: Buffer, start: number): number {
	const length = Math.min(name.length, NAME_BYTES);
	let sum = 0;
	for (let at = 0; at < length; at++) {
		const byte = name[at] as number;
		into[start + at] = byte;
		sum += byte;
	}
	return sum;
}

/** Octal digits; where they do not fit, base-256 with the first bit set. The sum of the bytes. */
function writeNumber(value: number, into: Buffer, block: number, field: NumberField): number {
	const start = block + field.at;
	if (value < 0 || value >= 8 ** field.digits) return writeLargeNumber(value, into, start, field);
	let sum = 0;
	let rest = value;
	for (let at = start + field.digits - 1; at >= start; at--) {
		const above = Math.floor(rest / 8);
		const digit = ZERO + rest - above * 8;
		into[at] = digit;
		sum += digit;
		rest = above;
	}
	return sum;
}

function writeLargeNumber(
	value: number,
	into: Buffer,
	start: number,
	{ digits }: NumberField,
): number {
	const field = into.subarray(start, start + digits + 1);
	let rest = BigInt(value);
	for (let at = digits; at >= 0; at--) {
		field[at] = Number(rest & 0xffn);
		rest >>= 8n;
	}
	field[0] = (field[0] as number) | 0x80;
	return field.reduce((sum, byte) => sum + byte, 0);
}

function seal(sum: number, into: Buffer, block: number): void {
	writeNumber(sum, into, block, CHECKSUM);
	into[block + CHECKSUM.at + CHECKSUM.digits] = 0;
}

function commonBlock(): Buffer {
	const block = Buffer.alloc(TAR_BLOCK);
	for (const owner of OWNERS) writeNumber(0, block, 0, owner);
	block.fill(BLANK, CHECKSUM.at, CHECKSUM.at + CHECKSUM.digits + 2);
	block.write("ustar  \0", MAGIC, "latin1");
	return block;
}
