import { pipeline } from "node:stream/promises";
import { ReplacementFile } from "../../disk/replacement-file.js";
import type { ExportTarget } from "./export-target.js";

/** The tar as a file. */
export class FileTarget implements ExportTarget {
	readonly name: string;
	#file: ReplacementFile | undefined;

	/** @param path absolute */
	constructor(path: string) {
		this.name = path;
	}

	async receive(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
		const file = await ReplacementFile.open(this.name);
		this.#file = file;
		await pipeline(tar, file.stream, { signal });
	}

	async commit(): Promise<void> {
		await this.#file?.commit();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#file?.[Symbol.asyncDispose]();
	}
}
