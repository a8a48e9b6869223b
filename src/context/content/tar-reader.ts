import { Readable } from "node:stream";

/** How much of the context has been handed over. */
export interface TarProgress {
	/** Counted as in ContextManifest. */
	readonly files: number;
	/** Bytes of content, without headers. */
	readonly bytes: number;
}

/** Chunks of the tar that may be on their way between the threads. */
const CHUNKS_IN_FLIGHT = 8;
/** Bytes of the tar that may wait for the reader. */
const READ_AHEAD = 1024 * 1024;
const PROGRESS_INTERVAL_MS = 100;

/**
 * The main thread's end of the tar that the worker packs: a stream that asks for chunks as fast as it
 * is read, and no faster.
 */
export class TarReader {
	readonly stream: Readable;
	/** Whether no more of it is to come. */
	isOver = false;
	readonly #onProgress: (progress: TarProgress) => void;
	#progress: TarProgress = { files: 0, bytes: 0 };
	#lastProgressAt = 0;
	#inFlight = 0;

	/** @param request asks the worker for so many chunks; each has to come to take(). */
	constructor(request: (chunks: number) => void, onProgress: (progress: TarProgress) => void) {
		this.#onProgress = onProgress;
		this.stream = new Readable({
			highWaterMark: READ_AHEAD,
			read: () => {
				const chunks = CHUNKS_IN_FLIGHT - this.#inFlight;
				this.#inFlight += chunks;
				if (chunks > 0) request(chunks);
			},
		});
		// A context may fail before anybody reads its tar, which must not end the process.
		this.stream.on("error", () => {});
	}

	take(bytes: Uint8Array<ArrayBuffer>, progress: TarProgress): void {
		// On its way when it was given up.
		if (this.isOver) return;
		this.#inFlight -= 1;
		this.#progress = progress;
		this.stream.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
		const now = performance.now();
		if (now - this.#lastProgressAt < PROGRESS_INTERVAL_MS) return;
		this.#lastProgressAt = now;
		this.#onProgress(progress);
	}

	/** What was asked for is not waited for any more. */
	giveUp(): void {
		this.isOver = true;
		this.#inFlight = Number.POSITIVE_INFINITY;
		this.stream.destroy();
	}

	end(): void {
		if (this.isOver) return;
		this.isOver = true;
		this.#onProgress(this.#progress);
		this.stream.push(null);
	}
}
