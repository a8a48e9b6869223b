import { constants, type Stats } from "node:fs";
import { access, type FileHandle, open, readlink, realpath, stat } from "node:fs/promises";
import * as os from "node:os";
import { dirname, join, resolve } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DeliveryError } from "../errors.js";
import { removeAbandoned, UnfinishedFile } from "./unfinished-file.js";
import { writeFailure } from "./write-failure.js";

/**
 * A file that appears under its name only when it is complete: until then it has a temporary name in
 * the same folder, and what was there before stays. Pipes and devices are written to as they are.
 *
 * `commit()` it when everything is written; disposing of it removes what was not committed.
 */
export class ReplacementFile implements AsyncDisposable {
	/** Fails with a DeliveryError. */
	readonly stream: Writable;
	readonly #path: string;
	readonly #file: UnfinishedFile | FileHandle;

	/** @throws DeliveryError */
	static async open(path: string): Promise<ReplacementFile> {
		if (isNullDevice(path)) return new ReplacementFile(path, await open(NULL_DEVICE, "w"));
		const existing = await statOf(path);
		try {
			if (existing !== undefined && !existing.isFile()) {
				return new ReplacementFile(path, await open(path, "w"));
			}
			const target = await placeOf(path);
			const mode = (existing?.mode ?? 0o666) & 0o777;
			await removeAbandoned(dirname(target));
			return new ReplacementFile(target, await UnfinishedFile.create(dirname(target), mode));
		} catch (error) {
			throw writeFailure(path, error);
		}
	}

	private constructor(path: string, file: UnfinishedFile | FileHandle) {
		this.#path = path;
		this.#file = file;
		this.stream = new Writable({
			write: (chunk: Uint8Array, _encoding, done) => {
				this.#append(chunk).then(() => done(), done);
			},
		});
	}

	async #append(chunk: Uint8Array): Promise<void> {
		const file = this.#file;
		try {
			await (file instanceof UnfinishedFile ? file.append(chunk) : file.writeFile(chunk));
		} catch (error) {
			throw writeFailure(this.#path, error);
		}
	}

	/** Gives the file its name, when its content is on the disk. @throws DeliveryError */
	async commit(): Promise<void> {
		if (!(this.#file instanceof UnfinishedFile)) return;
		try {
			await this.#file.sync();
			await this.#file.commit(this.#path);
		} catch (error) {
			throw writeFailure(this.#path, error);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#file instanceof UnfinishedFile) await this.#file[Symbol.asyncDispose]();
		else await this.#file.close().catch(() => {});
	}
}

/**
 * Puts a small file in the place of what is there, whole or not at all.
 * @throws DeliveryError
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
	await using replacement = await ReplacementFile.open(path);
	await pipeline([content], replacement.stream);
	await replacement.commit();
}

/**
 * Finds out, without touching anything, whether a file could be written there.
 * @param path absolute
 * @param example what a file there may be called
 * @throws DeliveryError
 */
export async function checkWritable(path: string, example = "image.tar"): Promise<void> {
	if (isNullDevice(path)) return;
	const existing = await statOf(path);
	if (existing?.isDirectory()) {
		throw new DeliveryError(`cannot save to ${path}: it is a directory`, {
			hint: `name a file in it, such as ${join(path, example)}`,
		});
	}
	try {
		if (existing !== undefined) await access(path, constants.W_OK);
		// A pipe or a device is not replaced, so the folder it is in does not matter.
		if (existing === undefined || existing.isFile()) {
			const folder = dirname(await placeOf(path));
			await access(folder, constants.W_OK | constants.X_OK);
			// Windows says only that there is no such file in it.
			if (!(await stat(folder)).isDirectory()) throw notAFolder(folder);
		}
	} catch (error) {
		throw writeFailure(path, error);
	}
}

function notAFolder(path: string): NodeJS.ErrnoException {
	return Object.assign(new Error(`${path} is not a folder`), { code: "ENOTDIR", path });
}

const NULL_DEVICE = "\\\\.\\NUL";

/** Windows has it in every folder, and node, which forgoes that, would make a file that few programs can delete. */
export function isNullDevice(path: string, platform: NodeJS.Platform = os.platform()): boolean {
	return platform === "win32" && /(^|[\\/])nul$/i.test(path.replace(/[\\/]$/, ""));
}

/** A link stays a link: what it points to is replaced, or made where there is nothing yet. */
async function placeOf(path: string): Promise<string> {
	try {
		return await realpath(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
	}
	const link = await readlink(path).catch(() => undefined);
	return link === undefined ? path : placeOf(resolve(await realpath(dirname(path)), link));
}

async function statOf(path: string): Promise<Stats | undefined> {
	try {
		return await stat(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
		throw writeFailure(path, error);
	}
}
