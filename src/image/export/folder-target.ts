import { constants } from "node:fs";
import {
	access,
	chmod,
	lutimes,
	mkdir,
	readlink,
	realpath,
	rm,
	rmdir,
	stat,
} from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { makeFolder } from "../../disk/folder.js";
import { lockFolder } from "../../disk/folder-lock.js";
import { removeAbandoned, temporaryPath } from "../../disk/unfinished-file.js";
import { writeFailure } from "../../disk/write-failure.js";
import { DeliveryError } from "../../errors.js";
import type { ExportTarget } from "./export-target.js";
import { mergeInto } from "./folder-merge.js";
import type { Collision } from "./taken-names.js";
import { type Renamed, type Unfinished, type Unpacked, unpackTar } from "./tar-unpacking.js";

/** What is told of files that are not there as the tar has them; each list has at least one. */
export interface UnpackingNews {
	/** What cannot be a file of a user's: devices, pipes, sockets. */
	skipped(paths: readonly string[]): void;
	/** What has another name, as Windows does not take its own. */
	renamed(renamed: readonly Renamed[]): void;
	/** What took the place of another file, as both have the same name here. */
	collided(collisions: readonly Collision[]): void;
}

/**
 * The files themselves, in a folder. They are unpacked into a folder of their own within it, and moved
 * over what is there when the build is done; what is there and not in the tar stays.
 */
export class FolderTarget implements ExportTarget {
	readonly name: string;
	readonly #news: UnpackingNews;
	#staging: Staging | undefined;
	#unpacked: Unpacked | undefined;

	/** @param path absolute; made where it is not there */
	constructor(path: string, news: UnpackingNews) {
		this.name = path;
		this.#news = news;
	}

	async receive(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
		try {
			this.#staging = await openStaging(this.name);
			this.#unpacked = await unpackTar(tar, this.#staging.path, signal);
		} catch (error) {
			throw this.#failure(error);
		}
		const { skipped, renamed, collisions } = this.#unpacked;
		if (skipped.length > 0) this.#news.skipped(skipped);
		if (renamed.length > 0) this.#news.renamed(renamed);
		if (collisions.length > 0) this.#news.collided(collisions);
	}

	async commit(): Promise<void> {
		if (this.#staging === undefined || this.#unpacked === undefined) return;
		const { folder, path } = this.#staging;
		try {
			// Of two builds that end at the same time, the folder gets the one's files and then the other's.
			await using _lock = await lockFolder(folder);
			await mergeInto(path, folder);
			for (const entry of this.#unpacked.unfinished.toReversed()) await finish(folder, entry);
			await rmdir(path);
		} catch (error) {
			throw this.#failure(error);
		}
		this.#staging = undefined;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#staging === undefined) return;
		const { folder, path, firstCreated } = this.#staging;
		await rm(path, { recursive: true, force: true }).catch(() => {});
		if (firstCreated === undefined) return;
		// Those that somebody put something into meanwhile stay.
		for (let made = folder; made.length >= firstCreated.length; made = dirname(made)) {
			await rmdir(made).catch(() => {});
		}
	}

	/** Names the file where it would be, not where it was unpacked. */
	#failure(error: unknown): unknown {
		const { path } = error as NodeJS.ErrnoException;
		if (this.#staging === undefined || path === undefined) return writeFailure(this.name, error);
		const within = relative(this.#staging.path, path);
		return writeFailure(within.startsWith("..") ? path : join(this.name, within), error);
	}
}

/**
 * Finds out, without touching anything, whether files could be put into that folder.
 * @param path absolute
 * @param hint for the path of a file
 * @throws DeliveryError
 */
export async function checkFolder(path: string, hint = NAME_A_FOLDER): Promise<void> {
	let existing = path;
	for (;;) {
		try {
			const found = await stat(existing);
			if (!found.isDirectory()) break;
			await access(existing, constants.W_OK | constants.X_OK);
			return;
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			if (code !== "ENOENT" || existing === dirname(existing)) throw writeFailure(path, error);
			const leadsTo = await readlink(existing).catch(() => undefined);
			if (leadsTo !== undefined) throw leadsNowhere(path, existing, leadsTo);
			existing = dirname(existing);
		}
	}
	throw new DeliveryError(`cannot save to ${path}: ${existing} is a file, not a folder`, { hint });
}

/** No folder can be made where a symlink is. */
function leadsNowhere(path: string, link: string, leadsTo: string): DeliveryError {
	const what = `${link} is a symlink to ${leadsTo}, which does not exist`;
	return new DeliveryError(`cannot save to ${path}: ${what}`, {
		hint: "make the folder that it leads to, or remove the symlink",
	});
}

const NAME_A_FOLDER = "name a folder, or use --output type=tar,dest=FILE";

interface Staging {
	/** The folder that was asked for, with all symlinks resolved. */
	readonly folder: string;
	/** Where files wait in it. */
	readonly path: string;
	/** The topmost folder that was made for it, if any was. */
	readonly firstCreated: string | undefined;
}

/** Within the folder, which may be a file system of its own. */
async function openStaging(name: string): Promise<Staging> {
	const created = await makeFolder(name);
	const folder = await realpath(name);
	await removeAbandoned(folder);
	const path = temporaryPath(folder);
	await mkdir(path, { mode: 0o700 });
	const firstCreated = created === undefined ? undefined : await realpath(created);
	return { folder, path, firstCreated };
}

async function finish(folder: string, { path, mode, mtime }: Unfinished): Promise<void> {
	const place = resolve(join(folder, path));
	// That of the folder itself is the user's matter.
	if (place === folder) return;
	try {
		await lutimes(place, mtime, mtime);
	} catch (error) {
		// A symlink that this system did not get.
		if (mode === undefined && (error as NodeJS.ErrnoException).code === "ENOENT") return;
		throw error;
	}
	if (mode !== undefined) await chmod(place, mode);
}
