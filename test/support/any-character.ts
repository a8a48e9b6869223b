import fc from "fast-check";

const SURROGATES = { first: 0xd800, count: 0x800 };

/**
 * A unit of fc.string: the characters of fast-check's own "binary", which takes more than a second of each
 * process to make a table of them all.
 */
export const anyCharacter = fc
	.nat({ max: 0x10ffff - SURROGATES.count })
	.map((at) => String.fromCodePoint(at < SURROGATES.first ? at : at + SURROGATES.count));
