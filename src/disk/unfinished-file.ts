import { randomBytes } from "node:crypto";
import { type FileHandle, lstat, open, readdir, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { renamePatiently } from "./patient-rename.js";

/** A name in that folder for what is not to be taken for anything yet. */
export function temporaryPath(folder: string): string {
	return join(folder, `.rbuild-${randomBytes(6).toString("hex")}.tmp`);
}

/** Whether a file or folder has the name of one that temporaryPath() has made up. */
export function isTemporary(name: string): boolean {
	return /^\.rbuild-[0-9a-f]{12}\.tmp$/.test(name);
}

/** What nobody has written to for so long was left behind, in milliseconds. */
const ABANDONED = 24 * 60 * 60 * 1000;

/**
 * Removes what has a temporary name in that folder since a day: of a process that was killed, or of a machine
 * that went down. Never fails.
 */
export async function removeAbandoned(folder: string): Promise<void> {
	const names = await readdir(folder).catch(() => []);
	const now = Date.now();
	for (const path of names.filter(isTemporary).map((name) => join(folder, name))) {
		const stats = await lstat(path).catch(() => undefined);
		if (stats === undefined || stats.mtimeMs > now - ABANDONED) continue;
		await rm(path, { recursive: true, force: true }).catch(() => {});
	}
}

/**
 * A file under a temporary name, which gets its own when all of it is there: whoever looks for it finds it
 * as a whole, or as it was. Disposing of it removes what was not committed.
 *
 * All of it fails as the file system does.
 */
export class UnfinishedFile implements AsyncDisposable {
	readonly path: string;
	readonly #handle: FileHandle;
	#length = 0;
	#open = true;

	/** @param folder must be there, and on the file system on which the file is to be */
	static async create(folder: string, mode = 0o666): Promise<UnfinishedFile> {
		const path = temporaryPath(folder);
		return new UnfinishedFile(path, await open(path, "wx", mode));
	}

	private constructor(path: string, handle: FileHandle) {
		this.path = path;
		this.#handle = handle;
	}

	/** Bytes so far. */
	get length(): number {
		return this.#length;
	}

	async append(data: Uint8Array): Promise<void> {
		for (let at = 0; at < data.length; ) {
			const { bytesWritten } = await this.#handle.write(data, at, data.length - at, this.#length);
			at += bytesWritten;
			this.#length += bytesWritten;
		}
	}

	/** Begins anew. */
	async clear(): Promise<void> {
		await this.#handle.truncate(0);
		this.#length = 0;
	}

	/** Puts the content on the disk, so that a machine that goes down cannot leave a name without it. */
	async sync(): Promise<void> {
		await this.#handle.sync();
	}

	async commit(place: string): Promise<void> {
		await this.#close();
		await renamePatiently(this.path, place);
		this.#open = false;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (!this.#open) return;
		this.#open = false;
		await this.#close().catch(() => {});
		await unlink(this.path).catch(() => {});
	}

	/** Some file systems, such as NFS, say only now that the disk is full. */
	async #close(): Promise<void> {
		if (this.#handle.fd >= 0) await this.#handle.close();
	}
}
