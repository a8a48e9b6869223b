/**
 * Go's strings.TrimSpace. String.trim() differs: it takes U+FEFF, and leaves U+0085. A loop, because
 * a regular expression for blanks at the end takes quadratic time on blanks in the middle.
 */
export function trimSpace(text: string): string {
	let start = 0;
	let end = text.length;
	while (start < end && isSpace(text.charCodeAt(start))) start++;
	while (start < end && isSpace(text.charCodeAt(end - 1))) end--;
	return text.slice(start, end);
}

/** Go's unicode.IsSpace: Unicode's White_Space. */
function isSpace(unit: number): boolean {
	return (
		unit === 0x20 ||
		(unit >= 0x09 && unit <= 0x0d) ||
		unit === 0x85 ||
		unit === 0xa0 ||
		unit === 0x1680 ||
		(unit >= 0x2000 && unit <= 0x200a) ||
		unit === 0x2028 ||
		unit === 0x2029 ||
		unit === 0x202f ||
		unit === 0x205f ||
		unit === 0x3000
	);
}
