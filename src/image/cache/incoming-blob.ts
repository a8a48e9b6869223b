import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../../disk/folder.js";
import { isInUse } from "../../disk/patient-rename.js";
import { UnfinishedFile } from "../../disk/unfinished-file.js";
import type { Digest } from "../manifest/digest.js";

/** A folder of blobs by their digests. */
interface BlobFolder {
	/** Where blobs wait until all of them is there. */
	readonly waiting: string;
	/** Of the folders and files that are made, for the umask to take from. */
	readonly modes: { readonly folder: number; readonly file: number };
	/**
	 * Whether a machine that goes down must not leave a damaged blob. Not needed where each is checked before
	 * it is used.
	 */
	readonly isDurable: boolean;
	placeOf(digest: Digest): string;
	/** What an error of the file system becomes. */
	failure(path: string, error: unknown): unknown;
}

/**
 * A blob of which a part has come. It has a temporary name until it is committed; disposing of it before
 * that removes it. All of it fails as its folder says.
 */
export class IncomingBlob implements AsyncDisposable {
	readonly #folder: BlobFolder;
	readonly #file: UnfinishedFile;
	#hash = createHash("sha256");

	static async open(folder: BlobFolder): Promise<IncomingBlob> {
		const { waiting, modes } = folder;
		try {
			await makeFolder(waiting, modes.folder);
			return new IncomingBlob(folder, await UnfinishedFile.create(waiting, modes.file));
		} catch (error) {
			throw folder.failure(waiting, error);
		}
	}

	private constructor(folder: BlobFolder, file: UnfinishedFile) {
		this.#folder = folder;
		this.#file = file;
	}

	/** Bytes so far. */
	get length(): number {
		return this.#file.length;
	}

	/** Of what has come so far. */
	digest(): Digest {
		return `sha256:${this.#hash.copy().digest("hex")}`;
	}

	async append(data: Uint8Array): Promise<void> {
		this.#hash.update(data);
		try {
			await this.#file.append(data);
		} catch (error) {
			throw this.#folder.failure(this.#folder.waiting, error);
		}
	}

	/** Begins anew. */
	async clear(): Promise<void> {
		await this.#file.clear();
		this.#hash = createHash("sha256");
	}

	/** Gives it the name of its digest, and of no other. */
	async commit(): Promise<void> {
		const { isDurable, modes } = this.#folder;
		const place = this.#folder.placeOf(this.digest());
		try {
			if (isDurable) await this.#file.sync();
			await makeFolder(dirname(place), modes.folder);
			await this.#file.commit(place);
		} catch (error) {
			if (isInUse(error) && (await this.#isAt(place))) return;
			throw this.#folder.failure(place, error);
		}
	}

	/** On Windows, what another rbuild reads cannot be replaced; by its name it is the same. */
	#isAt(place: string): Promise<boolean> {
		return stat(place).then(
			({ size }) => size === this.length,
			() => false,
		);
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.#file[Symbol.asyncDispose]();
	}
}
