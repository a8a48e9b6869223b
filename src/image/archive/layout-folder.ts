import { readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DeliveryError } from "../../errors.js";
import { makeFolder } from "../../folder.js";
import { interrupted } from "../../interruption.js";
import { renamePatiently } from "../../patient-rename.js";
import { temporaryPath, UnfinishedFile } from "../../unfinished-file.js";
import { writeFailure } from "../replacement-file.js";
import type { TarEntry } from "./tar-entries.js";

/**
 * An OCI image layout as a folder, which appears under its name when it is complete. Only another layout,
 * or an empty folder, is replaced by it. Disposing of it removes what was not committed.
 */
export class LayoutFolder implements AsyncDisposable {
	readonly #path: string;
	readonly #staging: string;

	/** @param path absolute. @throws DeliveryError */
	static async open(path: string): Promise<LayoutFolder> {
		await checkLayoutFolder(path);
		const staging = temporaryPath(dirname(path));
		try {
			await makeFolder(staging);
		} catch (error) {
			throw writeFailure(path, error);
		}
		return new LayoutFolder(path, staging);
	}

	private constructor(path: string, staging: string) {
		this.#path = path;
		this.#staging = staging;
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
			}
		} catch (error) {
			throw writeFailure(this.#path, error);
		}
	}

	/** @throws DeliveryError */
	async commit(): Promise<void> {
		const old = `${this.#staging}.old`;
		try {
			const replaced = await renamePatiently(this.#path, old).then(
				() => true,
				(error: NodeJS.ErrnoException) => {
					if (error.code !== "ENOENT") throw error;
					return false;
				},
			);
			await renamePatiently(this.#staging, this.#path);
			if (replaced) await rm(old, { recursive: true, force: true });
		} catch (error) {
			await renamePatiently(old, this.#path).catch(() => {});
			throw writeFailure(this.#path, error);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await rm(this.#staging, { recursive: true, force: true }).catch(() => {});
	}
}

/**
 * Finds out, without touching anything, whether a layout may be put there.
 * @throws DeliveryError
 */
export async function checkLayoutFolder(path: string): Promise<void> {
	const existing = await stat(path).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return undefined;
		throw writeFailure(path, error);
	});
	if (existing === undefined) return;
	const names = existing.isDirectory() ? await readdir(path) : undefined;
	if (names?.length === 0 || names?.includes("oci-layout")) return;
	const what = names === undefined ? "a file" : "a folder with other things";
	throw new DeliveryError(`cannot save to ${path}: it is ${what}`, {
		hint: "name a folder that is not there, or a tar: --save type=oci,dest=FILE.tar",
	});
}
