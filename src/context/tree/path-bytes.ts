/**
 * File names are bytes to the kernel and to tar, and strings here. A name that is valid UTF-8 is that
 * text; in any other, each byte 0xNN that is not part of a valid sequence becomes the lone surrogate
 * U+DCNN. No valid UTF-8 decodes to a surrogate, so the mapping loses nothing (PEP 383).
 */

import { printableJson } from "../../printable.js";
import type { ContextEntry } from "./manifest.js";

const REPLACEMENT = "\ufffd";
const LONE_SURROGATE = /\p{Surrogate}/u;
const BEYOND_BYTE_ORDER = /[\ud800-\uffff]/;

/** What garbles a line: controls, halves of characters, and what changes its direction or breaks it. */
const UNPRINTABLE = /[\p{Control}\p{Surrogate}\u2028-\u202e\u2066-\u2069]/u;
const SLASH = 0x2f;
const SURROGATES = 0xd800;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Whether a path that was not found may be there: of bytes in an argument or in the current directory that are
 * not UTF-8, node makes U+FFFD, and cannot open by that what they name.
 */
export function hasLostBytes(path: string): boolean {
	return path.includes(REPLACEMENT);
}

/** The string for a name's bytes. */
export function fromBytes(bytes: Uint8Array): string {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
	return text.includes(REPLACEMENT) ? escapeInvalid(bytes) : text;
}

function escapeInvalid(bytes: Uint8Array): string {
	let text = "";
	for (let at = 0; at < bytes.length; ) {
		const byte = bytes[at] as number;
		const length = sequenceLength(byte);
		try {
			text += strictUtf8.decode(bytes.subarray(at, at + length));
			at += length;
		} catch {
			text += String.fromCharCode(0xdc00 + byte);
			at += 1;
		}
	}
	return text;
}

/** How long the UTF-8 sequence is that starts with this byte, if it starts one (RFC 3629). */
function sequenceLength(lead: number): number {
	if (lead < 0xc2) return 1;
	if (lead < 0xe0) return 2;
	return lead < 0xf0 ? 3 : 4;
}

/** The bytes of a name that fromBytes() made, or of any other string as UTF-8. */
export function toBytes(name: string): Buffer {
	if (!LONE_SURROGATE.test(name)) return Buffer.from(name);
	const parts: Uint8Array[] = [];
	for (const character of name) {
		const code = character.codePointAt(0) as number;
		const escaped = code >= 0xdc80 && code <= 0xdcff;
		parts.push(escaped ? Uint8Array.of(code - 0xdc00) : Buffer.from(character));
	}
	return Buffer.concat(parts);
}

/** Whether the bytes of a name and of a link's target are UTF-8. */
export function isUtf8({ path, linkname = "" }: Pick<ContextEntry, "path" | "linkname">): boolean {
	return !LONE_SURROGATE.test(path) && !LONE_SURROGATE.test(linkname);
}

/** Sorts names in place by their bytes, which differs from the order of strings beyond U+D800. */
export function sortByBytes(names: string[]): string[] {
	return names.some((name) => BEYOND_BYTE_ORDER.test(name))
		? names.sort((a, b) => Buffer.compare(toBytes(a), toBytes(b)))
		: names.sort();
}

/** Orders paths as a walk meets them: parents first, siblings by the bytes of their names. */
export function comparePaths(a: string, b: string): number {
	const length = Math.min(a.length, b.length);
	let at = 0;
	while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
	if (at === length) return a.length - b.length;
	const left = a.charCodeAt(at);
	const right = b.charCodeAt(at);
	// A name that ends here comes before all that go on.
	if (left === SLASH || right === SLASH) return left === SLASH ? -1 : 1;
	if (left < SURROGATES && right < SURROGATES) return left - right;
	return Buffer.compare(toBytes(a), toBytes(b));
}

/** What to hand to node:fs for a path below a directory: a string wherever that is exact. */
export function pathOnDisk(root: string, path: string): string | Buffer {
	const full = path === "" ? root : `${root}/${path}`;
	return LONE_SURROGATE.test(path) ? toBytes(full) : full;
}

/** A path for a message: itself, or quoted and escaped where it would garble a line. */
export function printablePath(path: string): string {
	if (!UNPRINTABLE.test(path)) return path;
	return printableJson(JSON.stringify(path));
}
