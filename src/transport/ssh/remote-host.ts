import type { Duplex, Readable } from "node:stream";
import type { FailureOfExit } from "../channel-socket.js";

/** A byte stream to the daemon. */
export interface DaemonStream extends Duplex {
	/** False once the far side has ended or closed the stream, even where nobody has read so far. */
	readonly isOpen: boolean;
}

/** A command of the box's, as ssh2 shows it: emits "exit" with its code (null: by a signal), then "close". */
export interface CommandChannel extends Duplex {
	readonly stderr: Readable;
	close(): void;
}

export interface RemoteCommand {
	readonly channel: CommandChannel;
	/**
	 * What the command says and is told from here on, as a stream.
	 * @param failureOf Holds the end of the stream back until the command's exit code is known.
	 */
	stream(failureOf?: FailureOfExit): DaemonStream;
}

/** A machine that was logged in to, as those see it who look for the daemon there. */
export interface RemoteHost {
	/** For messages, such as "x86box (192.168.31.100:22)". */
	readonly place: string;
	readonly user: string;
	/** Milliseconds, where it is known; else opening a stream takes one round trip. */
	readonly roundTripMs?: number;
	/**
	 * A stream to a unix socket of the box.
	 * @throws ChannelRefusal when the server says no; ConnectionError when the link is lost.
	 */
	openStreamLocal(socketPath: string, signal: AbortSignal): Promise<DaemonStream>;
	/**
	 * A command that soon ends, run by the user's login shell; it waits for its turn.
	 * @throws ChannelRefusal when the server says no; ConnectionError when the link is lost.
	 */
	exec(command: string, signal: AbortSignal): Promise<RemoteCommand>;
	/** As exec, for a command that goes on: where a server allows few at once, over a connection more. */
	execLasting(command: string, signal: AbortSignal): Promise<RemoteCommand>;
}

/** The server did not open a channel (RFC 4254, section 5.1); its reason says too little to act on. */
export class ChannelRefusal extends Error {
	override readonly name = "ChannelRefusal";
}
