import { imageCache } from "../../build/image-cache.js";
import { type ExitCode, type RbuildError, UsageError } from "../../errors.js";
import type { BlobCache } from "../../image/cache/blob-cache.js";
import { cachedBlobs, pruneCache } from "../../image/cache/cache-pruning.js";
import { printableJson } from "../../printable.js";
import { formatBytes, formatCount } from "../../render/format.js";
import { parseByteSize } from "../flags/option-values.js";
import { onInterrupt } from "../process/interrupts.js";
import { processSurroundings } from "../process/process-environment.js";
import { stdoutWidth } from "../process/screen.js";
import { tableOf } from "../table.js";
import type { CACHE_ACTIONS } from "./image-flags.js";

export interface CacheArguments {
	readonly action: (typeof CACHE_ACTIONS)[number];
	readonly keep?: string;
	readonly all?: boolean;
	readonly format: "table" | "json";
}

/** `rbuild cache ACTION`: the layers of images that were brought here. */
export async function runCache(values: CacheArguments): Promise<ExitCode | 0> {
	const { action, keep, all } = values;
	if (action !== "prune" && (keep !== undefined || all !== undefined)) {
		throw new UsageError(`--${keep === undefined ? "all" : "keep"} is only for rbuild cache prune`);
	}
	using interrupts = onInterrupt(() => {});
	const { blobs } = imageCache(processSurroundings().environment);
	if (action === "verify") return verify(blobs, interrupts.signal);
	const text = await {
		ls: () => list(blobs, values.format),
		prune: () => prune(blobs, keep, all ?? false),
	}[action]();
	process.stdout.write(text);
	return 0;
}

async function list(cache: BlobCache, format: "table" | "json"): Promise<string> {
	const blobs = (await cachedBlobs(cache)).toSorted((a, b) => b.usedAt - a.usedAt);
	const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
	if (format === "json")
		return `${printableJson(JSON.stringify({ folder: cache.folder, bytes, blobs }))}\n`;
	const rows = blobs.map(({ digest, size, usedAt }) => [
		digest,
		formatBytes(size),
		new Date(usedAt).toISOString().slice(0, 16).replace("T", " "),
	]);
	const total = `${formatCount(blobs.length)} blobs, ${formatBytes(bytes)} in ${cache.folder}\n`;
	if (rows.length === 0) return total;
	return tableOf(["BLOB", "SIZE", "USED"], rows, stdoutWidth()) + total;
}

async function prune(cache: BlobCache, keep: string | undefined, all: boolean): Promise<string> {
	const limit = keep === undefined ? 0 : parseByteSize(keep, "--keep");
	const { blobs, bytes, kept } = await pruneCache(cache, limit, { evenInUse: all });
	return `removed ${formatCount(blobs)} blobs, ${formatBytes(bytes)}; ${formatBytes(kept)} left\n`;
}

/** @returns not 0 where something cannot be read: what is damaged is gone with this, that is not */
async function verify(cache: BlobCache, signal: AbortSignal): Promise<ExitCode | 0> {
	const blobs = await cachedBlobs(cache);
	const faults: string[] = [];
	let exitCode: ExitCode | 0 = 0;
	for (const { digest } of blobs) {
		const found = await cache.examine(digest, signal).catch((error: RbuildError) => {
			if (signal.aborted) throw error;
			faults.push(error.message);
			exitCode = error.exitCode;
		});
		if (found !== "damaged") continue;
		await cache.remove(digest);
		faults.push(`removed ${digest}: its content did not match`);
	}
	const intact = `${formatCount(blobs.length - faults.length)} blobs are intact`;
	process.stdout.write(`${[...faults, intact].join("\n")}\n`);
	return exitCode;
}
