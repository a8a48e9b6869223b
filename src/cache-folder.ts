import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { type FileHandle, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "./environment.js";

/** Where programs keep what they can do without, as the user's system has it. Absolute. */
export function cacheFolder({
	variables,
	homeDirectory,
	platform,
}: Pick<Environment, "variables" | "homeDirectory" | "platform">): string {
	if (platform === "darwin") return join(homeDirectory, "Library", "Caches", "rbuild");
	if (platform === "win32") {
		return join(
			variables.LOCALAPPDATA ?? join(homeDirectory, "AppData", "Local"),
			"rbuild",
			"cache",
		);
	}
	// A relative one is to be ignored (XDG Base Directory Specification).
	const { XDG_CACHE_HOME = "" } = variables;
	const folder = XDG_CACHE_HOME.startsWith("/") ? XDG_CACHE_HOME : join(homeDirectory, ".cache");
	return join(folder, "rbuild");
}

/** Where a sync keeps the hashes of a directory's files. */
export function hashesFile(root: string, environment: Environment): string {
	return join(cacheFolder(environment), "file-hashes", nameOf(root));
}

/** Where it is kept how large the ignored directories in a directory are. */
export function sizesFile(root: string, environment: Environment): string {
	return join(cacheFolder(environment), "ignored-sizes", nameOf(root));
}

function nameOf(root: string): string {
	return createHash("sha256").update(root).digest("hex");
}

/** Opening a pipe is not to wait for somebody who writes to it; Windows has neither. */
const OPENING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file of the cache to read it. What is no regular file has no end, or never begins.
 * @throws NodeJS.ErrnoException
 */
export async function openKeptFile(path: string): Promise<FileHandle> {
	const file = await open(path, OPENING);
	try {
		if ((await file.stat()).isFile()) return file;
	} catch (error) {
		await file.close();
		throw error;
	}
	await file.close();
	throw noFile(path);
}

/** Reads a file of the cache. @throws NodeJS.ErrnoException */
export async function readKeptFile(path: string): Promise<Buffer> {
	const file = await openKeptFile(path);
	try {
		return await file.readFile();
	} finally {
		await file.close();
	}
}

/** The same, which blocks its thread. @throws NodeJS.ErrnoException */
export function readKeptFileSync(path: string): Buffer {
	const file = openSync(path, OPENING);
	try {
		if (!fstatSync(file).isFile()) throw noFile(path);
		return readFileSync(file);
	} finally {
		closeSync(file);
	}
}

function noFile(path: string): NodeJS.ErrnoException {
	return Object.assign(new Error("it is not a regular file"), { code: "ERR_NOT_A_FILE", path });
}

/** How long a file is kept that nobody has written since, in milliseconds. */
const KEPT = 90 * 24 * 3600 * 1000;

/** Removes files of projects that are not built any more. Never fails. */
export async function forgetOldFiles(folder: string): Promise<void> {
	const names = await readdir(folder).catch(() => []);
	for (const name of names) {
		const path = join(folder, name);
		const stats = await stat(path).catch(() => undefined);
		const isOld = stats?.isFile() && stats.mtimeMs < Date.now() - KEPT;
		if (isOld) await rm(path, { force: true }).catch(() => {});
	}
}
