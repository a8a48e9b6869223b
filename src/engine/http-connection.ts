import { Readable } from "node:stream";
import { type Dispatcher, Pool } from "undici";
import { InterruptedError } from "../errors.js";
import type { Transport } from "../transport/transport.js";
import type { EngineRequest, EngineResponse } from "./engine.js";
import { exchangeFailure, notDocker, refusal } from "./engine-failure.js";
import { type ExchangeOutcome, exchange } from "./exchange.js";

/** Streams open at once: a build, its session and some small requests; sshd allows 10 by default. */
const MAX_STREAMS = 6;

/** How long an unused stream is kept, in milliseconds: opening one over ssh costs round trips. */
const IDLE_TIMEOUT = 10 * 60_000;

type Connect = NonNullable<Pool.Options["connect"]>;

/** HTTP/1.1 over a transport's streams. What it throws is what Engine promises. */
export class HttpConnection {
	readonly #pool: Pool;
	readonly #target: string;
	readonly #streamErrors: WeakSet<Error>;
	readonly #closing: AbortController;

	static over(transport: Transport): HttpConnection {
		const closing = new AbortController();
		const streamErrors = new WeakSet<Error>();
		// undici wants to be called back later, never within connect itself.
		const connect = (_options: unknown, done: (error: Error | null, stream: unknown) => void) => {
			transport.open(closing.signal).then(
				(stream) => {
					stream.on("error", (error) => streamErrors.add(error));
					done(null, stream);
				},
				(error) => done(error, null),
			);
		};
		const pool = new Pool("http://docker", {
			// Declared for sockets; any Duplex will do.
			connect: connect as Connect,
			connections: MAX_STREAMS,
			pipelining: 1,
			keepAliveTimeout: IDLE_TIMEOUT,
			keepAliveMaxTimeout: IDLE_TIMEOUT,
			// A build may be silent for hours. A dead link is the transport's to notice.
			headersTimeout: 0,
			bodyTimeout: 0,
		});
		return new HttpConnection(pool, transport.target, streamErrors, closing);
	}

	/** @param streamErrors what the streams raised, which undici passes on unmarked */
	private constructor(
		pool: Pool,
		target: string,
		streamErrors: WeakSet<Error>,
		closing: AbortController,
	) {
		this.#pool = pool;
		this.#target = target;
		this.#streamErrors = streamErrors;
		this.#closing = closing;
	}

	/**
	 * @param path with version prefix and query, as it goes over the wire
	 * @param silence milliseconds for which the daemon may say nothing, before and in its answer; 0: for ever
	 */
	async answer(request: EngineRequest, path: string, silence = 0): Promise<EngineResponse> {
		const options = { headersTimeout: silence, bodyTimeout: silence };
		const outcome = await this.send(request, path, options);
		if (outcome.kind === "answer") return outcome.response;
		outcome.stream.destroy();
		throw notDocker(this.#target, `${request.method} ${request.path}`, "by switching protocols");
	}

	async send(
		request: EngineRequest,
		path: string,
		options: Pick<Dispatcher.DispatchOptions, "headersTimeout" | "bodyTimeout" | "upgrade">,
	): Promise<ExchangeOutcome> {
		const { method, headers = {}, body = null, signal } = request;
		// A daemon may answer before it has read all of a streamed body; what is left of it would be
		// taken for the next request: hence `Connection: close`.
		const reset = body instanceof Readable;
		const outcome = await exchange(
			this.#pool,
			{ ...options, method, path, headers, body, reset },
			signal,
			(error, answerStarted) => {
				const isOfStream = this.#streamErrors.has(error);
				const target = this.#target;
				return exchangeFailure({ request, target, error, isOfStream, answerStarted });
			},
		);
		if (outcome.kind === "answer" && outcome.response.status >= 400) {
			throw await refusal(outcome.response, request, this.#target);
		}
		return outcome;
	}

	/** Ends all that is under way, with an InterruptedError. */
	async close(): Promise<void> {
		const reason = new InterruptedError("the connection to the daemon was given up");
		this.#closing.abort(reason);
		await this.#pool.destroy(reason);
	}
}
