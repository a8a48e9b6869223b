import { UsageError } from "../../errors.js";

/** Readers for the values of the flags of `rbuild context`. */

const BITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };

/** Bits per second from "20mbit", "1.5Gbit/s" or "20Mbps". */
export function parseLink(text: string): number {
	const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:bit(?:\/s)?|bps)$/i.exec(text.trim());
	const bits = Number(match?.[1]) * (BITS[match?.[2]?.toLowerCase() ?? ""] ?? 0);
	if (bits > 0) return bits;
	throw new UsageError(`--link "${text}" is not a link speed`, {
		hint: "write it as bits per second, such as --link 20mbit",
	});
}

const BYTES: Readonly<Record<string, number>> = { "": 0, k: 1, m: 2, g: 3, t: 4 };

/** Bytes from "50MB", "1.5g" or "64MiB": powers of 1000, as sizes are shown, or with "i" of 1024. */
export function parseLimit(text: string, flag: string): number {
	const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(text.trim());
	const [, number, unit = "", binary] = match ?? [];
	if (number !== undefined) {
		const base = binary ? 1024 : 1000;
		return Math.floor(Number(number) * base ** (BYTES[unit.toLowerCase()] ?? 0));
	}
	throw new UsageError(`${flag} "${text}" is not a size`, {
		hint: `write it as a number with a unit, such as ${flag} 50MB`,
	});
}

export function parseCount(text: string, flag: string): number {
	if (/^\d{1,15}$/.test(text.trim())) return Number(text);
	throw new UsageError(`${flag} "${text}" is not a number`, {
		hint: `give a whole number, such as ${flag} 10`,
	});
}
