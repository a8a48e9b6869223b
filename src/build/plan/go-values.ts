/** Readers for values in the forms that docker's own programs take them, which are in Go. */

/** As strconv.ParseBool reads it; undefined for what is neither. */
export function parseBoolean(text: string | undefined): boolean | undefined {
	if (text === undefined) return undefined;
	if (/^(?:1|t|true|T|TRUE|True)$/.test(text)) return true;
	return /^(?:0|f|false|F|FALSE|False)$/.test(text) ? false : undefined;
}

const UNITS: Readonly<Record<string, number>> = { b: 0, k: 1, m: 2, g: 3, t: 4 };

/**
 * Bytes from "64m", "1.5gb", "512KiB" or "1024": powers of 1024, as docker's --shm-size (docker/go-units,
 * RAMInBytes); undefined for what is no size.
 */
export function byteSize(text: string): number | undefined {
	const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
	const power = UNITS[(match?.[2] || "b").toLowerCase()];
	if (match === null || power === undefined) return undefined;
	return Math.floor(Number(match[1]) * 1024 ** power);
}
