import type { Writable } from "node:stream";

/** What is handed over at once may take so long to leave, in milliseconds. */
const SLICE_MS = 100;
const LEAST_SLICE = 8 * 1024;

/**
 * Writes as the stream takes it. What was handed to one stream of HTTP/2 goes before what is written to
 * another one later, such as the answer to a health check: so on a slow link it is little at a time.
 */
export class PacedWriter {
	readonly #stream: Writable;
	/** Bytes. */
	#slice = Number.POSITIVE_INFINITY;

	constructor(stream: Writable) {
		this.#stream = stream;
	}

	/** Resolves when there is room for more, or when the stream is gone. */
	async write(bytes: Uint8Array): Promise<void> {
		for (let at = 0; at < bytes.length && !this.#stream.destroyed; ) {
			const slice = bytes.subarray(at, at + this.#slice);
			at += slice.length;
			if (this.#stream.write(slice)) continue;
			const started = performance.now();
			await drained(this.#stream);
			const bytesPerMs = slice.length / (performance.now() - started);
			this.#slice = Math.max(LEAST_SLICE, Math.floor(bytesPerMs * SLICE_MS));
		}
	}
}

function drained(stream: Writable): Promise<void> {
	return new Promise((resolve) => {
		const done = () => {
			stream.off("drain", done).off("close", done);
			resolve();
		};
		stream.on("drain", done).on("close", done);
	});
}
