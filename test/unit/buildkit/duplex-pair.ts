import { Duplex } from "node:stream";

/** Two ends of a connection in memory: no sockets, as a channel of an ssh connection is none. */
export function duplexPair(): [Duplex, Duplex] {
	const left = new End();
	const right = new End();
	left.other = right;
	right.other = left;
	return [left, right];
}

/** One end, whose own end waits for ever, as that of a pipe of Windows does until all is read. */
export function endlessDuplex(): Duplex {
	return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), final() {} });
}

/** Node's HTTP/2 does not read while it writes, so two of them need room between them, as sockets have. */
const ROOM = 1024 * 1024;

class End extends Duplex {
	other: End | undefined;
	/** Called when the reader is ready for more. */
	#resume: (() => void) | undefined;

	constructor() {
		super({ readableHighWaterMark: ROOM });
	}

	override _read(): void {
		const resume = this.#resume;
		this.#resume = undefined;
		resume?.();
	}

	override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
		if (this.other?.push(chunk)) setImmediate(done);
		else if (this.other) this.other.#resume = done;
	}

	override _final(done: () => void): void {
		this.other?.push(null);
		done();
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		setImmediate(() => this.other?.destroy());
		done(error);
	}
}
