/** Names in a context are bytes, and may be made to look like others or to garble the page. */
const UNPRINTABLE =
	/[\p{Control}\p{Surrogate}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/** The name as text on one line: "\x1b", "\u202e", and bytes that are not UTF-8 as "\xe9". */
export function visibleName(name: string): string {
	return name.replace(UNPRINTABLE, (character) => {
		const code = character.charCodeAt(0);
		if (isByte(code)) return `\\x${hex(code - 0xdc00, 2)}`;
		return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
	});
}

/** The name's bytes in percent-encoding (RFC 3986), which encodeURIComponent refuses where they are not UTF-8. */
export function encodeName(name: string): string {
	return name.replace(/\p{Surrogate}|\P{Surrogate}+/gu, (part) => {
		const code = part.charCodeAt(0);
		return isByte(code) ? `%${hex(code - 0xdc00, 2).toUpperCase()}` : encodeWhole(part);
	});
}

function encodeWhole(text: string): string {
	return encodeURIComponent(text.isWellFormed?.() === false ? "\ufffd" : text);
}

/** How a byte that is no part of UTF-8 comes here, see path-bytes.ts. */
function isByte(code: number): boolean {
	return code >= 0xdc80 && code <= 0xdcff;
}

function hex(code: number, digits: number): string {
	return code.toString(16).padStart(digits, "0");
}
