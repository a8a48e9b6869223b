import type { ContextEntry } from "./tree/manifest.js";

const SECOND = 1_000;
const NANOSECONDS = 1_000_000n;

/**
 * What decides how files are dated that a box is sent, in milliseconds.
 *
 * Tools like make and cargo compare the time of a source with that of what they once built from it, in a
 * cache mount. A file that is edited while a build runs is older than what that build makes of the content
 * from before: by its own time, the edit would never be seen.
 */
export interface Dating {
	/** Since when files may have been edited that no build that succeeded was made from; by the clock of files here. */
	readonly from: number;
	/** Until when something may have been built from their content before; by the clock of the box. */
	readonly to: number;
	/** How far the clock of the box is ahead of the one here, at least. */
	readonly leadMs: number;
}

/** Where nothing is known of a build before. */
export const NO_BUILD_BEFORE: Dating = {
	from: Number.POSITIVE_INFINITY,
	to: Number.NEGATIVE_INFINITY,
	leadMs: 0,
};

/** The time now by the clock of the box where that is ahead, else by the one here, since 1970. */
export function nowOnBox({ leadMs }: Pick<Dating, "leadMs">): number {
	return Date.now() + leadMs;
}

/** @param mtimeMs of a file, since 1970 */
export function isFromDuringBuild(mtimeMs: number, { from, to }: Dating): boolean {
	return mtimeMs >= from && mtimeMs <= to;
}

/** The entries as a tar has them: in whole seconds, which are rounded so that no doubt is left. */
export function* datedForTar(
	entries: Iterable<ContextEntry>,
	dating: Dating,
): Generator<ContextEntry> {
	const next = Math.ceil(nowOnBox(dating) / SECOND) * SECOND;
	const modTime = BigInt(next) * NANOSECONDS;
	for (const entry of entries) {
		const told = Math.floor(entry.mtimeMs / SECOND) * SECOND;
		const isUncertain = entry.mtimeMs >= dating.from && told <= dating.to;
		yield entry.type === "file" && isUncertain ? { ...entry, modTime } : entry;
	}
}
