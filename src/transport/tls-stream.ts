import type { TLSSocket } from "node:tls";
import { SocketLike } from "./socket-like.js";

/**
 * A TLS connection as a stream of JavaScript's. Two traps are covered: node's HTTP/2 takes a TLSSocket
 * for itself below JavaScript, and aborts the process when bytes are under way on it, as they are after an
 * HTTP upgrade (seen with node 20.20, "Assertion failed: !current_write_"); and a reader of the TLSSocket
 * hears of an error in OpenSSL's words before anybody can put it into ours.
 */
export class TlsStream extends SocketLike {
	readonly #socket: TLSSocket;

	/** @param explain what the reader is to hear in place of an error; undefined for the error itself */
	constructor(socket: TLSSocket, explain: (error: Error) => Error | undefined) {
		super({ allowHalfOpen: false });
		this.#socket = socket;
		socket.on("data", (chunk: Buffer) => {
			if (!this.push(chunk)) socket.pause();
		});
		socket.pause();
		socket.once("end", () => this.push(null));
		socket.on("error", (error: Error) => this.destroy(explain(error) ?? error));
		socket.once("close", () => {
			if (this.readableEnded) this.destroy();
			else this.once("end", () => this.destroy()).push(null);
		});
	}

	override _read(): void {
		this.#socket.resume();
	}

	override _write(
		chunk: Buffer,
		_encoding: BufferEncoding,
		done: (error?: Error | null) => void,
	): void {
		this.#socket.write(chunk, done);
	}

	override _final(done: () => void): void {
		this.#socket.end(done);
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		this.#socket.destroy();
		done(error);
	}
}
