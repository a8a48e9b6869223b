import { Duplex } from "node:stream";

/** What an HTTP/2 client sends before its first frame (RFC 9113, section 3.4), in bytes. */
const PREFACE_BYTES = 24;
/** Of a frame of HTTP/2, in bytes; the first three are the length of what follows (section 4.1). */
const HEADER_BYTES = 9;

/** The frame by which grpc-go learns how much is on its way (internal/transport/bdp_estimator.go). */
const ESTIMATE = Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 2, 4, 16, 16, 9, 14, 7, 7]);

/** Of a round trip: what a window let through has mostly arrived by then. */
const PART_OF_ROUND_TRIP = 1 / 4;
/** On a nearer link the windows are open before anybody notices, in milliseconds. */
const NEAR_MS = 5;

/**
 * A connection to a gRPC client on which it opens its window twice as fast.
 *
 * grpc-go begins with a window of 64 KiB. With the first data it sends a PING, and its window becomes twice
 * what arrived before the answer. Answered at once, the answer overtakes what the window has just let
 * through: then the window doubles every second round trip only. Held back until that is on its way, the
 * same PING makes it four times as large. Other PINGs, which ask for signs of life, are not held back.
 *
 * @param roundTripMs of the link
 */
export function withLatePings(connection: Duplex, roundTripMs: number): Duplex {
	if (roundTripMs < NEAR_MS) return connection;
	return new LatePings(connection, roundTripMs * PART_OF_ROUND_TRIP);
}

type Done = (error?: Error | null) => void;

class LatePings extends Duplex {
	readonly #connection: Duplex;
	readonly #delayMs: number;
	/** Of a frame that cannot be told yet. */
	#beginning: Buffer = Buffer.alloc(0);
	/** Bytes of the frame that is being passed on. */
	#rest = PREFACE_BYTES;
	#timer: NodeJS.Timeout | undefined;
	/** Whether the time of the held one has come. */
	#isDue = false;

	constructor(connection: Duplex, delayMs: number) {
		super({ allowHalfOpen: connection.allowHalfOpen });
		this.#connection = connection;
		this.#delayMs = delayMs;
		connection.on("data", (chunk: Buffer) => {
			this.#receive(chunk);
			this.#release();
		});
		connection.on("end", () => {
			clearTimeout(this.#timer);
			this.#isDue = false;
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
				const frame = bytes.subarray(to, to + ESTIMATE.length);
				const isEstimate = ESTIMATE.subarray(0, frame.length).equals(frame);
				if (frame.length < (isEstimate ? ESTIMATE.length : HEADER_BYTES)) break;
				if (isEstimate && this.#timer === undefined) {
					this.#forward(bytes.subarray(from, to));
					this.#hold();
					to += ESTIMATE.length;
					from = to;
					continue;
				}
				this.#rest = HEADER_BYTES + frame.readUIntBE(0, 3);
			}
			const part = Math.min(this.#rest, bytes.length - to);
			this.#rest -= part;
			to += part;
		}
		this.#forward(bytes.subarray(from, to));
		this.#beginning = bytes.subarray(to);
	}

	#forward(bytes: Buffer): void {
		if (bytes.length > 0 && !this.push(bytes)) this.#connection.pause();
	}

	#hold(): void {
		this.#timer = setTimeout(() => {
			this.#isDue = true;
			this.#release();
		}, this.#delayMs);
	}

	/** Between two frames. */
	#release(): void {
		if (!this.#isDue || this.#rest > 0) return;
		this.#isDue = false;
		this.#timer = undefined;
		this.#forward(ESTIMATE);
	}

	override _read(): void {
		this.#connection.resume();
	}

	override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
		this.#connection.write(chunk, done);
	}

	/** All at once, so that they are one packet of ssh. */
	override _writev(writes: readonly { readonly chunk: Buffer }[], done: Done): void {
		this.#connection.cork();
		for (const [index, { chunk }] of writes.entries()) {
			this.#connection.write(chunk, index === writes.length - 1 ? done : undefined);
		}
		this.#connection.uncork();
	}

	override _final(done: Done): void {
		this.#connection.end(() => done());
	}

	override _destroy(error: Error | null, done: Done): void {
		clearTimeout(this.#timer);
		this.#isDue = false;
		this.#connection.destroy();
		done(error);
	}
}
