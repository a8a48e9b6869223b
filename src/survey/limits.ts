import type { ContextEntry } from "../context/tree/manifest.js";
import type { ExceededLimit, SizedPath } from "./context-document.js";
import { Largest } from "./largest.js";

/** What a context may have at most. */
export interface ContextLimits {
	/** Bytes. */
	readonly size?: number;
	/** Everything but directories. */
	readonly files?: number;
	/** Bytes of one file. */
	readonly fileSize?: number;
}

const SHOWN = 5;

/** The limits that a context exceeds, and what it is that does most towards it. */
export function exceededLimits(
	limits: ContextLimits,
	totals: { readonly files: number; readonly bytes: number },
	entries: Iterable<ContextEntry>,
): ExceededLimit[] {
	const { size, files, fileSize } = limits;
	if (size === undefined && files === undefined && fileSize === undefined) return [];
	const largest = largestFiles(entries);
	const exceeded: ExceededLimit[] = [];
	if (size !== undefined && totals.bytes > size) {
		exceeded.push({ limit: "max-size", allowed: size, found: totals.bytes, largest });
	}
	if (files !== undefined && totals.files > files) {
		const fullest = fullestDirectories(entries);
		exceeded.push({ limit: "max-files", allowed: files, found: totals.files, largest: fullest });
	}
	const found = largest[0]?.size ?? 0;
	if (fileSize !== undefined && found > fileSize) {
		const above = largest.filter((file) => file.size > fileSize);
		exceeded.push({ limit: "max-file-size", allowed: fileSize, found, largest: above });
	}
	return exceeded;
}

function largestFiles(entries: Iterable<ContextEntry>): SizedPath[] {
	const largest = new Largest<SizedPath>(SHOWN);
	for (const { path, size, hardlink } of entries) {
		if (size > 0 && hardlink === undefined) largest.add({ path, size }, size);
	}
	return largest.items;
}

function fullestDirectories(entries: Iterable<ContextEntry>): SizedPath[] {
	const counts = new Map<string, number>();
	for (const { path, type } of entries) {
		if (type === "directory") continue;
		const directory = path.slice(0, Math.max(0, path.lastIndexOf("/"))) || ".";
		counts.set(directory, (counts.get(directory) ?? 0) + 1);
	}
	const fullest = new Largest<SizedPath>(SHOWN);
	for (const [path, size] of counts) fullest.add({ path, size }, size);
	return fullest.items;
}
