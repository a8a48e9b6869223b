import type { Stats } from "node:fs";
import { readdir, realpath, rm, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../../disk/folder.js";
import { lockFolder } from "../../disk/folder-lock.js";
import { renamePatiently } from "../../disk/patient-rename.js";
import {
	isTemporary,
	removeAbandoned,
	temporaryPath,
	UnfinishedFile,
} from "../../disk/unfinished-file.js";
import { writeFailure } from "../../disk/write-failure.js";
import { DeliveryError } from "../../errors.js";
import { interrupted } from "../../interruption.js";
import type { TarEntry } from "./tar-entries.js";

/** What makes a layout of the blobs: all that it names has to be there before. */
const INDEX = "index.json";

/**
 * An OCI image layout as a folder. A new one appears under its name when it is complete. In one that is there,
 * which may be a mount point, blobs are added, then the index is replaced, and then what was there before goes:
 * whoever reads it finds the one image or the other, also where several are saved there at the same time. Only
 * another layout, or an empty folder, is replaced. Disposing of it removes what was not committed.
 */
export class LayoutFolder implements AsyncDisposable {
	readonly #path: string;
	readonly #staging: string;
	readonly #isNew: boolean;
	readonly #names: string[] = [];

	/** @param path absolute. @throws DeliveryError */
	static async open(path: string): Promise<LayoutFolder> {
		const isNew = (await checkLayoutFolder(path)) === undefined;
		try {
			// A link stays a link: what is behind it is replaced.
			const place = isNew ? path : await realpath(path);
			const folder = isNew ? dirname(place) : place;
			await removeAbandoned(folder);
			const staging = temporaryPath(folder);
			await makeFolder(staging);
			return new LayoutFolder(place, staging, isNew);
		} catch (error) {
			throw writeFailure(path, error);
		}
	}

	private constructor(path: string, staging: string, isNew: boolean) {
		this.#path = path;
		this.#staging = staging;
		this.#isNew = isNew;
	}

	/** @throws DeliveryError; whatever an entry fails with */
	async write(entries: readonly TarEntry[], signal: AbortSignal): Promise<void> {
		try {
			for (const { name, open } of entries) {
				const place = join(this.#staging, name);
				await makeFolder(dirname(place));
				await using file = await UnfinishedFile.create(dirname(place));
				for await (const chunk of open()) {
					if (signal.aborted) throw interrupted(signal);
					await file.append(chunk);
				}
				await file.sync();
				await file.commit(place);
				this.#names.push(name);
			}
		} catch (error) {
			throw writeFailure(this.#path, error);
		}
	}

	/** @throws DeliveryError */
	async commit(): Promise<void> {
		try {
			if (!(this.#isNew && (await this.#appear()))) await this.#replace();
		} catch (error) {
			throw writeFailure(this.#path, error);
		}
	}

	/** @returns false where somebody else has put something there meanwhile */
	async #appear(): Promise<boolean> {
		try {
			await renamePatiently(this.#staging, this.#path);
			return true;
		} catch (error) {
			if ((await checkLayoutFolder(this.#path)) === undefined) throw error;
			return false;
		}
	}

	async #replace(): Promise<void> {
		await checkLayoutFolder(this.#path);
		await using _lock = await lockFolder(this.#path);
		const before = await filesIn(this.#path);
		const names = this.#names.toSorted((a, b) => Number(a === INDEX) - Number(b === INDEX));
		for (const name of names) {
			const place = join(this.#path, name);
			await makeFolder(dirname(place));
			await renamePatiently(join(this.#staging, name), place);
		}
		const kept = new Set(names.map((name) => join(this.#path, name)));
		// Folders that are not empty stay.
		for (const path of before.filter((path) => !kept.has(path))) {
			await unlink(path).catch(() => rmdir(path).catch(() => {}));
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await rm(this.#staging, { recursive: true, force: true }).catch(() => {});
	}
}

/** All but what rbuilds are writing, folders after what is in them. */
async function filesIn(folder: string): Promise<readonly string[]> {
	const found: string[] = [];
	for (const entry of await readdir(folder, { withFileTypes: true })) {
		if (isTemporary(entry.name)) continue;
		const path = join(folder, entry.name);
		if (entry.isDirectory()) found.push(...(await filesIn(path)));
		found.push(path);
	}
	return found;
}

/**
 * Finds out, without touching anything, whether a layout may be put there.
 * @returns what is there
 * @throws DeliveryError
 */
export async function checkLayoutFolder(path: string): Promise<Stats | undefined> {
	const existing = await stat(path).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return undefined;
		throw writeFailure(path, error);
	});
	if (existing === undefined) return undefined;
	const names = existing.isDirectory() ? await readdir(path) : undefined;
	if (names?.includes("oci-layout") || names?.every(isTemporary)) return existing;
	const what = names === undefined ? "a file" : "a folder with other things";
	throw new DeliveryError(`cannot save to ${path}: it is ${what}`, {
		hint: "name a folder that is not there, or a tar: --save type=oci,dest=FILE.tar",
	});
}
