import type { Duplex, Readable } from "node:stream";
import type { EngineFacts } from "../events.js";
import type { Transport } from "../transport/transport.js";

export interface EngineRequest {
	readonly method: "GET" | "POST" | "DELETE" | "HEAD";
	/** Without the version prefix, such as "/images/json"; already percent-encoded. */
	readonly path: string;
	/** A list becomes a repeated parameter; undefined ones are left out. */
	readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
	/** A list becomes a repeated header. */
	readonly headers?: Readonly<Record<string, string | string[]>>;
	readonly body?: string | Uint8Array | Readable;
	readonly signal: AbortSignal;
}

export interface EngineResponse {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	/** Must be read to its end or destroyed. */
	readonly body: Readable;
}

/** What a daemon can be asked before an API version is agreed on: its newest one answers. */
export interface EngineQuestions {
	readonly transport: Transport;
	/** A request whose answer is one JSON document. Fails as Engine.request() does. */
	json(request: EngineRequest): Promise<unknown>;
}

/** A Docker Engine (or Podman's docker API), spoken to over one transport. */
export interface Engine extends EngineQuestions, AsyncDisposable {
	readonly facts: EngineFacts;
	/** The shortest round trip to the daemon that was seen, in milliseconds. */
	readonly roundTripMs: number;
	/** How far the daemon's clock is ahead of this machine's, in milliseconds; 0 where it is not, or nobody knows. */
	readonly clockLeadMs: number;
	/**
	 * @throws EngineError with the daemon's own words for a status of 400 or more, or an answer that is
	 * not HTTP; ConnectionError when the stream breaks; InterruptedError when the signal is aborted.
	 */
	request(request: EngineRequest): Promise<EngineResponse>;
	/** A request that takes the connection over (HTTP 101), such as POST /session. */
	hijack(request: EngineRequest & { readonly protocol: string }): Promise<Duplex>;
}
