import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, open, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DeliveryError } from "../errors.js";
import { makeFolder } from "./folder.js";
import { writeFailure } from "./replacement-file.js";

/** Where an image or a cache is among the blobs (OCI image-spec, descriptor.md). */
export interface Descriptor {
	readonly mediaType: string;
	readonly digest: string;
	readonly size: number;
	readonly annotations?: Readonly<Record<string, string>>;
}

interface Index {
	readonly manifests: readonly Descriptor[];
}

const CHUNK_BYTES = 256 * 1024;

/** What a tag is called by, and by containerd a full name (OCI image-spec, annotations.md). */
const NAMES = ["io.containerd.image.name", "org.opencontainers.image.ref.name"] as const;
const TAG = NAMES[1];

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
	async write(): Promise<NewBlob> {
		try {
			await makeFolder(this.#path);
			const temporary = join(this.#path, `.rbuild-${randomBytes(6).toString("hex")}.tmp`);
			const file = await open(temporary, "wx");
			return new NewBlob(file, temporary, (digest) => this.#blob(digest));
		} catch (error) {
			throw writeFailure(this.#path, error);
		}
	}

	/**
	 * What the index has under a tag.
	 * @throws DeliveryError for an index that cannot be read
	 */
	async find(tag: string): Promise<Descriptor | undefined> {
		const { manifests } = await this.#index();
		const named = (name: string) => manifests.find((one) => one.annotations?.[name] === tag);
		return named(NAMES[0]) ?? named(NAMES[1]);
	}

	/** Everything that the index has. @throws DeliveryError */
	async manifests(): Promise<readonly Descriptor[]> {
		return (await this.#index()).manifests;
	}

	/** Gives a tag to something else, or for the first time. @throws DeliveryError */
	async tag(descriptor: Descriptor, tag: string): Promise<void> {
		const { manifests, ...rest } = await this.#index();
		const others = manifests.filter(({ annotations = {} }) => {
			return annotations[TAG] !== tag || annotations[NAMES[0]] !== undefined;
		});
		const tagged = { ...descriptor, annotations: { ...descriptor.annotations, [TAG]: tag } };
		await this.#replace("oci-layout", { imageLayoutVersion: "1.0.0" });
		await this.#replace("index.json", {
			schemaVersion: 2,
			mediaType: "application/vnd.oci.image.index.v1+json",
			...rest,
			manifests: [...others, tagged],
		});
	}

	#blob(digest: string): string {
		return join(this.#path, "blobs", ...digest.split(":"));
	}

	async #index(): Promise<Index> {
		const file = join(this.#path, "index.json");
		const text = await readFile(file, "utf8").catch(ifMissing);
		if (text === undefined) return { manifests: [] };
		try {
			const index: Partial<Index> = JSON.parse(text);
			if (Array.isArray(index.manifests ?? []))
				return { ...index, manifests: index.manifests ?? [] };
		} catch {
			// As one that is something else.
		}
		throw new DeliveryError(`${file} is not the index of an OCI layout`, {
			hint: "name another folder, or remove this one",
		});
	}

	async #replace(name: string, content: unknown): Promise<void> {
		const path = join(this.#path, name);
		const temporary = join(this.#path, `.rbuild-${randomBytes(6).toString("hex")}.tmp`);
		try {
			await makeFolder(this.#path);
			await writeFile(temporary, JSON.stringify(content));
			await rename(temporary, path);
		} catch (error) {
			await unlink(temporary).catch(() => {});
			throw writeFailure(path, error);
		}
	}
}

class NewBlob implements AsyncDisposable {
	length = 0;
	readonly #file: FileHandle;
	readonly #placeOf: (digest: string) => string;
	#temporary: string | undefined;
	#hash = createHash("sha256");

	constructor(file: FileHandle, temporary: string, placeOf: (digest: string) => string) {
		this.#file = file;
		this.#temporary = temporary;
		this.#placeOf = placeOf;
	}

	async append(data: Uint8Array): Promise<void> {
		this.#hash.update(data);
		try {
			for (let at = 0; at < data.length; ) {
				const { bytesWritten } = await this.#file.write(data, at, data.length - at, this.length);
				at += bytesWritten;
				this.length += bytesWritten;
			}
		} catch (error) {
			throw writeFailure(this.#temporary ?? "", error);
		}
	}

	async clear(): Promise<void> {
		await this.#file.truncate(0);
		this.#hash = createHash("sha256");
		this.length = 0;
	}

	async commit(expected: string | undefined): Promise<string | undefined> {
		const digest = `sha256:${this.#hash.digest("hex")}`;
		if (this.#temporary === undefined || digest !== (expected ?? digest)) return undefined;
		const place = this.#placeOf(digest);
		try {
			await this.#file.sync();
			await makeFolder(dirname(place));
			await rename(this.#temporary, place);
		} catch (error) {
			throw writeFailure(place, error);
		}
		this.#temporary = undefined;
		return digest;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#file.close().catch(() => {});
		if (this.#temporary !== undefined) await unlink(this.#temporary).catch(() => {});
	}
}

function ifMissing(error: unknown): undefined {
	const { code } = error as NodeJS.ErrnoException;
	if (code === "ENOENT" || code === "ENOTDIR") return undefined;
	throw error;
}
