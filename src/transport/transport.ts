import type { Duplex } from "node:stream";
import type { StreamCompression } from "./stream-compression.js";

/** Bytes on the wire so far: everything the network connection carried, ssh's own overhead included. */
export interface WireCounts {
	readonly sent: number;
	readonly received: number;
}

/**
 * A way to one Docker daemon. A transport carries bytes and knows nothing of HTTP; the engine asks it
 * for as many streams as it needs.
 */
export interface Transport extends AsyncDisposable {
	/** Where it leads, as the user would write it after --on; safe to print. */
	readonly target: string;
	/** How it gets there, for people: "ssh, streamlocal", "ssh through gate, dial-stdio", "unix" or "tcp". */
	readonly route: string;
	/** The shortest round trip to the machine seen while it was opened, in milliseconds; 0 for a local socket. */
	readonly roundTripMs: number;
	readonly wire: WireCounts;
	/**
	 * One new byte stream to the daemon's API socket. Ending the writable half reaches the daemon as a
	 * half-close; destroying it closes both.
	 * @throws ConnectionError
	 */
	open(signal: AbortSignal): Promise<Duplex>;
	/**
	 * What a short command writes to its standard output, run by the user's shell over there; empty where
	 * there is none. Absent where no command can be run at all.
	 * @throws ConnectionError, InterruptedError
	 */
	ask?(command: string, signal: AbortSignal): Promise<string>;
	/** Compresses what is sent, until it is disposed of, where the transport and the far side can do that. */
	compress(): StreamCompression;
	/**
	 * Listens on a free port of the loopback address that this transport ends at: of the ssh server, or of
	 * this machine for a local daemon. Whether the daemon is on that loopback shows only when it connects.
	 * Absent where there is no such place.
	 * @param onStream takes a connection to the port, from anybody on that machine
	 * @throws ListenRefusal; ConnectionError; InterruptedError
	 */
	listen?(onStream: (stream: Duplex) => void, signal: AbortSignal): Promise<LoopbackPort>;
}

/** A port at the far end of a transport. Disposing of it closes it, and leaves its streams as they are. */
export interface LoopbackPort extends AsyncDisposable {
	/** Of 127.0.0.1. */
	readonly port: number;
}

/** The far end does not let us listen; the message is the reason, as the middle of a sentence. */
export class ListenRefusal extends Error {
	override readonly name = "ListenRefusal";
}
