import { Duplex } from "node:stream";

/** What an HTTP/2 client sends before its first frame (RFC 9113, section 3.4), in bytes. */
const PREFACE_BYTES = 24;
/** Of each frame; the first three are the length of what follows (section 4.1). */
export const HEADER_BYTES = 9;

/** Sees some of the frames of HTTP/2 that come in, before they go on. */
export interface FrameFilter {
	/** Whether it wants a frame as a whole, by its header. Asked until all of the frame is there. */
	wants(header: Buffer): boolean;
	/** What goes on in place of a frame that was wanted; nothing where that is empty. */
	pass(frame: Buffer): Buffer;
}

/** Has a frame go on between two others, as soon as may be. */
export type InsertFrame = (frame: Buffer) => void;

/** What lives as long as a connection does, and may have frames inserted. */
type MakeFilter = (insert: InsertFrame, closed: AbortSignal) => FrameFilter;

type Done = (error?: Error | null) => void;

/** A connection to an HTTP/2 client, whose frames go through filters; what is sent to it goes as it is. */
export class FilteredFrames extends Duplex {
	readonly #connection: Duplex;
	readonly #filters: readonly FrameFilter[];
	readonly #closed = new AbortController();
	/** Of a frame that cannot be told yet. */
	#beginning: Buffer = Buffer.alloc(0);
	/** Bytes of the frame that is being passed on. */
	#rest = PREFACE_BYTES;
	/** Frames that wait for the end of another one. */
	#waiting: Buffer[] = [];

	/** @param filters of which the first one that wants a frame gets it */
	constructor(connection: Duplex, filters: readonly MakeFilter[]) {
		super({ allowHalfOpen: connection.allowHalfOpen });
		this.#connection = connection;
		this.#filters = filters.map((make) =>
			make((frame) => {
				this.#waiting.push(frame);
				this.#insertWaiting();
			}, this.#closed.signal),
		);
		connection.on("data", (chunk: Buffer) => {
			this.#receive(chunk);
			this.#insertWaiting();
		});
		connection.on("end", () => {
			this.#closed.abort();
			this.#forward(this.#beginning);
			this.push(null);
		});
		connection.on("error", (error) => this.destroy(error));
		connection.on("close", () => this.destroy());
	}

	#receive(chunk: Buffer): void {
		const bytes = this.#beginning.length > 0 ? Buffer.concat([this.#beginning, chunk]) : chunk;
		/** What lies between goes on as it came. */
		let [from, to] = [0, 0];
		while (to < bytes.length) {
			if (this.#rest === 0) {
				if (bytes.length - to < HEADER_BYTES) break;
				const end = to + HEADER_BYTES + bytes.readUIntBE(to, 3);
				const header = bytes.subarray(to, to + HEADER_BYTES);
				const filter = this.#filters.find((each) => each.wants(header));
				if (filter !== undefined) {
					if (bytes.length < end) break;
					this.#forward(bytes.subarray(from, to));
					this.#forward(filter.pass(bytes.subarray(to, end)));
					[from, to] = [end, end];
					continue;
				}
				this.#rest = end - to;
			}
			const part = Math.min(this.#rest, bytes.length - to);
			this.#rest -= part;
			to += part;
		}
		this.#forward(bytes.subarray(from, to));
		this.#beginning = bytes.subarray(to);
	}

	#insertWaiting(): void {
		if (this.#rest > 0 || this.#closed.signal.aborted) return;
		const frames = this.#waiting;
		this.#waiting = [];
		for (const frame of frames) this.#forward(frame);
	}

	#forward(bytes: Buffer): void {
		if (bytes.length > 0 && !this.push(bytes)) this.#connection.pause();
	}

	override _read(): void {
		this.#connection.resume();
	}

	// What is sent goes straight on: another queue before that of the connection costs 4 % of the CPU of a
	// sync of 20,000 files.

	override write(chunk: unknown, encoding?: BufferEncoding | Done, done?: Done): boolean {
		return typeof encoding === "string"
			? this.#connection.write(chunk, encoding, done)
			: this.#connection.write(chunk, encoding);
	}

	override cork(): void {
		this.#connection.cork();
	}

	override uncork(): void {
		this.#connection.uncork();
	}

	override end(last?: unknown, encoding?: BufferEncoding | (() => void), done?: () => void): this {
		if (typeof last === "function" && this.#connection.readableEnded)
			this.#endAfterPeer(last as () => void);
		else if (typeof last === "function") this.#connection.end(last as () => void);
		else if (typeof encoding === "string") this.#connection.end(last, encoding, done);
		else this.#connection.end(last, encoding);
		return this;
	}

	/**
	 * Node ends what the peer has ended, and crashes if its HTTP/2 writes before that is done. A pipe of Windows
	 * waits until the peer has read all.
	 */
	#endAfterPeer(done: () => void): void {
		done();
		setImmediate(() => this.destroy());
	}

	override _destroy(error: Error | null, done: Done): void {
		this.#closed.abort();
		this.#connection.destroy();
		done(error);
	}
}
