import type { ContextEntry, EntryType } from "./manifest.js";
import { toBytes } from "./path-bytes.js";

/**
 * Headers of the GNU tar format ("Basic Tar Format" in the GNU tar manual). It holds names of any
 * length as the bytes they are, and sizes above 8 GiB; Go's archive/tar, which every daemon reads
 * with, takes all of it. PAX would want UTF-8.
 */

export const TAR_BLOCK = 512;

const NAME_BYTES = 100;
const LONG_LINK = "././@LongLink";

const TYPE_FLAGS: Readonly<Record<EntryType, string>> = {
	file: "0",
	symlink: "2",
	"char-device": "3",
	"block-device": "4",
	directory: "5",
	fifo: "6",
};

/** Something that can be written into a tar: its header and the room that this takes. */
export interface TarHeader {
	/** Bytes, a multiple of 512. */
	readonly length: number;
	/** Writes the header at an offset. */
	write(into: Buffer, at: number): void;
}

/** The header of an entry; the content of a file, padded to 512 bytes, has to follow it. */
export function tarHeader(entry: ContextEntry): TarHeader {
	const name = toBytes(entry.type === "directory" ? `${entry.path}/` : entry.path);
	const target = toBytes(entry.hardlink ?? entry.linkname ?? "");
	return {
		length: TAR_BLOCK + longNameLength(name) + longNameLength(target),
		write(into, at) {
			const afterTarget = at + writeLongName("K", target, into, at);
			const header = afterTarget + writeLongName("L", name, into, afterTarget);
			writeBlock(entry, name, target, into.subarray(header, header + TAR_BLOCK));
		},
	};
}

/** The length of content with its padding. */
export function padded(bytes: number): number {
	return Math.ceil(bytes / TAR_BLOCK) * TAR_BLOCK;
}

function writeBlock(entry: ContextEntry, name: Buffer, target: Buffer, block: Buffer): void {
	const isHardlink = entry.hardlink !== undefined;
	block.fill(0);
	name.copy(block, 0, 0, NAME_BYTES);
	writeNumber(entry.mode, block, 100, 8);
	writeNumber(0, block, 108, 8);
	writeNumber(0, block, 116, 8);
	writeNumber(isHardlink ? 0 : entry.size, block, 124, 12);
	writeNumber(Math.floor(entry.mtimeMs / 1000), block, 136, 12);
	block.write(isHardlink ? "1" : TYPE_FLAGS[entry.type], 156, "latin1");
	target.copy(block, 157, 0, NAME_BYTES);
	if (entry.device !== undefined && !isHardlink) {
		writeNumber(entry.device.major, block, 329, 8);
		writeNumber(entry.device.minor, block, 337, 8);
	}
	seal(block);
}

/** An entry before the real one whose content is a name that does not fit into its field. */
function writeLongName(type: "K" | "L", name: Buffer, into: Buffer, at: number): number {
	const length = longNameLength(name);
	if (length === 0) return 0;
	const room = into.subarray(at, at + length).fill(0);
	const block = room.subarray(0, TAR_BLOCK);
	block.write(LONG_LINK, 0, "latin1");
	for (const start of [100, 108, 116]) writeNumber(0, block, start, 8);
	writeNumber(name.length + 1, block, 124, 12);
	writeNumber(0, block, 136, 12);
	block.write(type, 156, "latin1");
	seal(block);
	name.copy(room, TAR_BLOCK);
	return length;
}

function longNameLength(name: Buffer): number {
	return name.length > NAME_BYTES ? TAR_BLOCK + padded(name.length + 1) : 0;
}

/** Octal digits and a NUL; where they do not fit, base-256 with the first bit set. */
function writeNumber(value: number, block: Buffer, start: number, length: number): void {
	const digits = length - 1;
	if (value >= 0 && value < 8 ** digits) {
		block.write(value.toString(8).padStart(digits, "0"), start, "latin1");
		return;
	}
	let rest = BigInt(value);
	for (let at = start + length - 1; at >= start; at--) {
		block[at] = Number(rest & 0xffn);
		rest >>= 8n;
	}
	block[start] = (block[start] as number) | 0x80;
}

/** Adds the magic and then the checksum, which counts its own field as blanks. */
function seal(block: Buffer): void {
	block.write("ustar  \0", 257, "latin1");
	block.fill(" ", 148, 156, "latin1");
	let sum = 0;
	for (let at = 0; at < TAR_BLOCK; at++) sum += block[at] as number;
	block.write(`${sum.toString(8).padStart(6, "0")}\0`, 148, "latin1");
}
