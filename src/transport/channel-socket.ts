import type { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";
import { ChannelFlight } from "./channel-flight.js";
import { SocketLike } from "./socket-like.js";

/**
 * ssh2 lets the far side send 2 MiB before it must wait for us, which caps a download at 40 MB/s with
 * a round trip of 50 ms. Larger than that only what has begun to flow. Each of the five layers that a daemon
 * pushes at once may fill its own: with 8 MiB that was 10 MB more at the peak.
 */
const RECEIVE_WINDOW = 4 * 1024 * 1024;

/** Bytes held between ssh2 and the reader; a packet is up to 32 KiB. */
const READ_AHEAD = 512 * 1024;
const WRITE_AHEAD = 64 * 1024;

/**
 * For a channel that runs a command: why its end is a failure, or undefined where it is none.
 * @param code The exit code (RFC 4254, section 6.10): null when a signal ended the command, undefined
 * when the server did not tell.
 */
export type FailureOfExit = (code: number | null | undefined) => Error | undefined;

type WriteDone = (error?: Error | null) => void;

/** What was written while an earlier write was under way, or while the socket was corked. */
interface BufferedWrite {
	readonly chunk: Buffer;
}

/**
 * An ssh2 channel with the manners of a net.Socket, which HTTP clients expect: `destroy` frees it,
 * `close` always comes, an error reaches both halves, and the methods for socket options exist.
 *
 * The trap it covers: ssh2 calls no write callback any more once a channel is closed, emits `close` only
 * when everything was read, and lets a lost connection look like a clean end.
 */
export class ChannelSocket extends SocketLike {
	bytesRead = 0;
	bytesWritten = 0;
	readonly #channel: ClientChannel;
	readonly #link: Duplex;
	readonly #flight: ChannelFlight;
	readonly #failureOf: FailureOfExit | undefined;
	#exitCode: number | null | undefined;
	#ended = false;
	#closed = false;
	#writing = false;
	/** Where several writes become one: new memory for each would be half of what V8 has to collect. */
	#joint = Buffer.alloc(0);

	/**
	 * @param link What carries all channels: a write is confirmed when it has left for the network, so
	 * that a small message of one channel never stands behind megabytes of another.
	 * @param failureOf Holds the end of the stream back until the command's exit code is known.
	 */
	constructor(channel: ClientChannel, link: Duplex, failureOf?: FailureOfExit) {
		super({
			allowHalfOpen: false,
			readableHighWaterMark: READ_AHEAD,
			writableHighWaterMark: WRITE_AHEAD,
		});
		this.#channel = channel;
		this.#link = link;
		this.#flight = new ChannelFlight(channel, link);
		this.#failureOf = failureOf;
		channel.on("data", this.#onData);
		channel.on("end", this.#onEnd);
		channel.on("exit", (code: number | null) => {
			this.#exitCode = code;
		});
		channel.on("close", this.#onClose);
		channel.on("error", (error: Error) => this.destroy(error));
	}

	/** False once the far side has ended or closed the stream, even where nobody has read so far. */
	get isOpen(): boolean {
		return !this.#ended && !this.destroyed;
	}

	#onData = (chunk: Buffer) => {
		this.bytesRead += chunk.length;
		if (this.push(chunk)) {
			widenReceiveWindow(this.#channel);
		} else {
			this.#channel.pause();
		}
	};

	#onEnd = () => {
		this.#ended = true;
		if (this.#failureOf === undefined) {
			this.push(null);
		}
	};

	#onClose = () => {
		this.#ended = true;
		this.#closed = true;
		const failure = this.#failureOf?.(this.#exitCode);
		if (failure !== undefined) {
			this.destroy(failure);
		} else if (this.readableEnded) {
			this.#finish();
		} else {
			this.once("end", () => this.#finish());
			this.push(null);
		}
	};

	/** Nothing can be written any more; what had arrived has been read. */
	#finish(): void {
		this.destroy(
			this.#writing
				? Object.assign(new Error("the far side closed the stream"), { code: "EPIPE" })
				: undefined,
		);
	}

	override _read(): void {
		this.#channel.resume();
	}

	override _write(chunk: Buffer, _encoding: BufferEncoding, done: WriteDone): void {
		this.#begin(chunk, done);
	}

	/** As one: HTTP/2 writes the 9 bytes before each frame by themselves, and they would be a packet of ssh. */
	override _writev(writes: readonly BufferedWrite[], done: WriteDone): void {
		this.#begin(this.#join(writes), done);
	}

	/** What was written, as one, in memory that is good until the write is done. */
	#join(writes: readonly BufferedWrite[]): Buffer {
		const length = writes.reduce((sum, { chunk }) => sum + chunk.length, 0);
		if (length > this.#joint.length) this.#joint = Buffer.allocUnsafeSlow(length);
		let end = 0;
		for (const { chunk } of writes) end += chunk.copy(this.#joint, end);
		return this.#joint.subarray(0, end);
	}

	#begin(bytes: Buffer, done: WriteDone): void {
		this.#writing = true;
		if (this.#closed) {
			return;
		}
		this.#send(bytes, (error) => {
			this.#writing = false;
			done(error);
		});
	}

	/** Sends as much as may be on its way, and the rest as that arrives. */
	#send(chunk: Buffer, done: WriteDone): void {
		const room = this.#flight.room();
		if (room >= chunk.length) {
			this.#pass(chunk, done);
		} else if (room > 0) {
			this.#pass(chunk.subarray(0, room), (error) => {
				if (error) done(error);
				else this.#send(chunk.subarray(room), done);
			});
		} else {
			this.#flight.awaitRoom(() => this.#send(chunk, done));
		}
	}

	#pass(chunk: Buffer, done: WriteDone): void {
		this.#flight.sent(chunk.length);
		this.bytesWritten += chunk.length;
		this.#channel.write(chunk, (error) => {
			if (error) {
				done(error);
			} else if (this.#link.writableNeedDrain) {
				this.#link.once("drain", done);
			} else {
				done();
			}
		});
	}

	override _final(done: () => void): void {
		this.#channel.end(() => done());
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		this.#flight.stopWaiting();
		const channel = this.#channel;
		channel.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose);
		// What is still under way has to be read and dropped, or the channel never ends.
		channel.resume();
		if (!this.#closed) {
			channel.close();
		}
		done(error);
	}
}

/** The parts of ssh2 1.17 that are not in its types; each is looked for before it is used. */
interface ChannelInternals {
	readonly incoming?: { window?: unknown };
	readonly outgoing?: { id?: unknown; state?: unknown };
	readonly _client?: {
		readonly _protocol?: { channelWindowAdjust?: (id: number, bytes: number) => void };
	};
}

function widenReceiveWindow(channel: ClientChannel): void {
	const { incoming, outgoing, _client } = channel as unknown as ChannelInternals;
	const protocol = _client?._protocol;
	if (
		typeof protocol?.channelWindowAdjust === "function" &&
		typeof incoming?.window === "number" &&
		typeof outgoing?.id === "number" &&
		outgoing.state === "open"
	) {
		// What ssh2 holds has not been read yet: a slow reader would have it pile up without end.
		const bytes = RECEIVE_WINDOW - incoming.window - channel.readableLength;
		if (bytes < RECEIVE_WINDOW / 2) return;
		incoming.window += bytes;
		protocol.channelWindowAdjust(outgoing.id, bytes);
	}
}
