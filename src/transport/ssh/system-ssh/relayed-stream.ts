import type { Readable, Writable } from "node:stream";
import { SocketLike } from "../../socket-like.js";
import type { DaemonStream } from "../remote-host.js";

interface Relay {
	readonly input: Readable;
	readonly output: Writable;
	/** Ends both at once. */
	close(): void;
}

/**
 * What another program of this machine carries, with the manners of a net.Socket, which HTTP clients
 * expect. The end of its input is held back until it is known whether that is a failure.
 */
export class RelayedStream extends SocketLike implements DaemonStream {
	bytesRead = 0;
	bytesWritten = 0;
	readonly #relay: Relay;
	#ended = false;

	constructor(relay: Relay) {
		super({ allowHalfOpen: true });
		this.#relay = relay;
		// It may fail before its reader listens; the reader then finds it destroyed.
		this.on("error", () => {});
		relay.output.on("error", () => {});
		relay.input.on("data", (chunk: Buffer) => {
			this.bytesRead += chunk.length;
			if (!this.push(chunk)) relay.input.pause();
		});
		relay.input.once("end", () => {
			this.#ended = true;
		});
	}

	get isOpen(): boolean {
		return !this.#ended && !this.destroyed;
	}

	/** Nothing comes any more. */
	finish(failure: Error | undefined): void {
		if (failure !== undefined) {
			this.destroy(failure);
			return;
		}
		this.once("end", () => this.destroy());
		this.push(null);
	}

	override _read(): void {
		this.#relay.input.resume();
	}

	override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
		this.bytesWritten += chunk.length;
		this.#relay.output.write(chunk, done);
	}

	override _final(done: () => void): void {
		this.#relay.output.end(() => done());
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		this.#relay.close();
		done(error);
	}
}
