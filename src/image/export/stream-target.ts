import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { writeFailure } from "../../disk/write-failure.js";
import type { ExportTarget } from "./export-target.js";

/** The tar in the standard output, which stays open: what was written is gone. */
export class StreamTarget implements ExportTarget {
	readonly name = "the standard output";
	readonly #stream: Writable;

	constructor(stream: Writable) {
		this.#stream = stream;
	}

	async receive(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
		try {
			await pipeline(tar, this.#stream, { signal, end: false });
			await new Promise<void>((resolve, reject) => {
				this.#stream.write("", (error) => (error ? reject(error) : resolve()));
			});
		} catch (error) {
			throw writeFailure(this.name, error);
		}
	}

	async commit(): Promise<void> {}

	async [Symbol.asyncDispose](): Promise<void> {}
}
