import prettyBytes from "pretty-bytes";

/** Decimal units with three significant digits, as docker prints sizes: "3.4 MB". */
export function formatBytes(bytes: number): string {
	return prettyBytes(bytes);
}

/** "3.4 MB/s". */
export function formatRate(bytesPerSecond: number): string {
	return `${prettyBytes(Math.round(bytesPerSecond))}/s`;
}

/** Milliseconds as "0.3s", "12.4s", "1m 04s" or "1h 02m". */
export function formatDuration(ms: number): string {
	const tenths = Math.max(0, Math.round(ms / 100));
	if (tenths < 600) return `${(tenths / 10).toFixed(1)}s`;
	const seconds = Math.round(ms / 1000);
	if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${twoDigits(seconds % 60)}s`;
	const minutes = Math.round(ms / 60_000);
	return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
}

/** "1 file", "12,345 files". */
export function formatFiles(count: number): string {
	return `${formatCount(count)} ${count === 1 ? "file" : "files"}`;
}

export function formatCount(count: number): string {
	return count.toLocaleString("en-US");
}

/** A part of something, as "28% of it" would be read: "28%", or "20x" above its size. */
export function formatShare(part: number, whole: number): string {
	const share = part / whole;
	if (share >= 2) return `${share < 10 ? share.toFixed(1) : formatCount(Math.round(share))}x`;
	if (share < 1 && share > 0.99) return "over 99%";
	return share < 0.01 ? "under 1%" : `${Math.round(share * 100)}%`;
}

/** Digests as docker shortens ids: the first 12 of the 64 hex digits. */
export function shortenDigests(text: string): string {
	return text.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "$1");
}

/** "1a2b3c4d5e6f", as `docker images` shows it. */
export function shortImageId(imageId: string): string {
	return imageId.replace(/^sha256:/, "").slice(0, 12);
}

function twoDigits(number: number): string {
	return String(number).padStart(2, "0");
}
