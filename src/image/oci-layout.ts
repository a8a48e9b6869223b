import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../disk/folder.js";
import { lockFolder } from "../disk/folder-lock.js";
import { replaceFile } from "../disk/replacement-file.js";
import { removeAbandoned } from "../disk/unfinished-file.js";
import { writeFailure } from "../disk/write-failure.js";
import { fields } from "../engine/document.js";
import { ContextError, DeliveryError } from "../errors.js";
import { systemReason } from "../system-reason.js";
import { IncomingBlob } from "./cache/incoming-blob.js";
import { type Descriptor, parseDescriptor } from "./manifest/image-manifest.js";
import { OCI_TYPES } from "./manifest/media-types.js";

const CHUNK_BYTES = 256 * 1024;

/** What containerd calls a full name by, and what a tag is called by (OCI image-spec, annotations.md). */
export const NAME_ANNOTATION = "io.containerd.image.name";
export const TAG_ANNOTATION = "org.opencontainers.image.ref.name";

/** A folder that holds blobs by their digests, and an index of what they are (OCI image-spec, image-layout.md). */
export class OciLayout {
	readonly #path: string;

	/** @param path absolute; what it needs to hold is made when it is written to */
	constructor(path: string) {
		this.#path = path;
	}

	/** In bytes; undefined for a blob that is not there. */
	async size(digest: string): Promise<number | undefined> {
		const stats = await stat(this.#blob(digest)).catch(ifMissing);
		return stats?.isFile() ? stats.size : undefined;
	}

	/** A part of a blob. Its content is not checked. @throws NodeJS.ErrnoException */
	async *read(digest: string, start: number, length: number): AsyncGenerator<Uint8Array> {
		await using file = await open(this.#blob(digest));
		for (let done = 0; done < length; ) {
			const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, length - done));
			const { bytesRead } = await file.read(chunk, 0, chunk.length, start + done);
			if (bytesRead === 0) throw new DeliveryError(`${digest} got shorter while it was read`);
			done += bytesRead;
			yield chunk.subarray(0, bytesRead);
		}
	}

	/** Begins a blob, which is not there before it is committed. @throws DeliveryError */
	write(): Promise<IncomingBlob> {
		return IncomingBlob.open({
			waiting: this.#path,
			modes: { folder: 0o777, file: 0o666 },
			isDurable: true,
			placeOf: (digest) => this.#blob(digest),
			failure: writeFailure,
		});
	}

	/**
	 * What the index has under a tag.
	 * @throws ContextError for an index that cannot be read
	 */
	async find(tag: string): Promise<Descriptor | undefined> {
		const manifests = await this.manifests();
		const named = (name: string) => manifests.find((one) => one.annotations?.[name] === tag);
		return named(NAME_ANNOTATION) ?? named(TAG_ANNOTATION);
	}

	/** Everything that the index has. @throws ContextError for an index that cannot be read */
	async manifests(): Promise<readonly Descriptor[]> {
		const { file, manifests } = await this.#index(ContextError);
		try {
			return manifests.map((one) => parseDescriptor(one, `an image in ${file}`));
		} catch (cause) {
			throw notAnIndex(file, ContextError, cause);
		}
	}

	/**
	 * Gives a tag to something else, or for the first time, also where others do so at the same time.
	 * @throws DeliveryError
	 */
	async tag(descriptor: Descriptor, tag: string): Promise<void> {
		await this.#makeFolder();
		await using _lock = await lockFolder(this.#path).catch((error: unknown) => {
			throw writeFailure(this.#path, error);
		});
		const { file, document, manifests } = await this.#index(DeliveryError);
		const others = manifests.filter((one) => {
			const annotations = fields(fields(one).annotations);
			return annotations[TAG_ANNOTATION] !== tag || annotations[NAME_ANNOTATION] !== undefined;
		});
		const tagged = {
			...descriptor,
			annotations: { ...descriptor.annotations, [TAG_ANNOTATION]: tag },
		};
		const index = {
			schemaVersion: 2,
			mediaType: OCI_TYPES.index,
			...document,
			manifests: [...others, tagged],
		};
		await removeAbandoned(this.#path);
		const version = { imageLayoutVersion: "1.0.0" };
		await replaceFile(join(this.#path, "oci-layout"), JSON.stringify(version));
		await replaceFile(file, JSON.stringify(index));
	}

	async #makeFolder(): Promise<void> {
		await makeFolder(this.#path).catch((error: unknown) => {
			throw writeFailure(this.#path, error);
		});
	}

	#blob(digest: string): string {
		return join(this.#path, "blobs", ...digest.split(":"));
	}

	/** As it is there, with what this program does not know of. */
	async #index(Failure: IndexFailure): Promise<Index> {
		const file = join(this.#path, "index.json");
		const text = await readFile(file, "utf8")
			.catch(ifMissing)
			.catch((cause: NodeJS.ErrnoException) => {
				const hint = HINTS[cause.code ?? ""];
				throw new Failure(`cannot read ${file}: ${systemReason(cause)}`, { hint, cause });
			});
		if (text === undefined) return { file, document: {}, manifests: [] };
		try {
			const document = fields(JSON.parse(text));
			const { manifests = [] } = document;
			if (Array.isArray(manifests)) return { file, document, manifests };
		} catch {
			// As one that is something else.
		}
		throw notAnIndex(file, Failure);
	}
}

/** Of an index that is read for a build, or to be written anew after it. */
type IndexFailure = typeof ContextError | typeof DeliveryError;

const HINTS: Readonly<Record<string, string>> = {
	EACCES: "make it readable for the user who runs rbuild",
	EPERM: "make it readable for the user who runs rbuild",
	EISDIR: "name the folder of an OCI layout",
};

function notAnIndex(file: string, Failure: IndexFailure, cause?: unknown): Error {
	const hint = "name the folder of an OCI layout, such as --cache-to type=local makes";
	return new Failure(`${file} is not the index of an OCI layout`, { hint, cause });
}

interface Index {
	readonly file: string;
	readonly document: Readonly<Record<string, unknown>>;
	readonly manifests: readonly unknown[];
}

function ifMissing(error: unknown): undefined {
	const { code } = error as NodeJS.ErrnoException;
	if (code === "ENOENT" || code === "ENOTDIR") return undefined;
	throw error;
}
