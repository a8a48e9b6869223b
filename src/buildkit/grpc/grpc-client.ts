import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { Duplex } from "node:stream";
import {
	create,
	type DescMessage,
	type DescMethodServerStreaming,
	type DescMethodUnary,
	fromBinary,
	type MessageInitShape,
	type MessageShape,
	toBinary,
} from "@bufbuild/protobuf";
import { ConnectionError, EngineError, RbuildError } from "../../errors.js";
import { interrupted } from "../../interruption.js";
import { frameMessage, readMessages } from "./grpc-frames.js";
import { decodeStatusMessage, GRPC_STATUS, GrpcError, parseStatus } from "./grpc-status.js";

/** Longest message that is taken, in bytes; BuildKit's own limit (containerd's DefaultMaxSendMsgSize). */
const MESSAGE_LIMIT = 16 * 1024 * 1024;

/** A status comes as headers, and one of BuildKit's quotes the Dockerfile. */
const HEADER_LIMITS = { settings: { maxHeaderListSize: 16 * 1024 * 1024 } };

/** How long an answer that has begun may pause, in milliseconds: Go's server writes it in one go. */
const ANSWER_TIMEOUT = 5_000;

interface CallOptions {
	/** Aborting it cancels the call on the daemon's side, too. */
	readonly signal: AbortSignal;
	readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An answer whose status did not come. nghttp2 reads no header beyond 64 KiB, which BuildKit's quotations
 * of a long Dockerfile are: the connection is dead from then on, of which node tells since 22.23.
 */
export class UnreadableStatusError extends EngineError {
	constructor(path: string) {
		super(`the daemon's answer to ${path} is too long to be read`);
	}
}

/**
 * Calls gRPC methods (HTTP/2 with prior knowledge) over one stream that is already connected.
 *
 * Calls throw GrpcError for a status that is not OK; ConnectionError when the stream breaks; EngineError
 * for an answer that is no gRPC; InterruptedError.
 */
export class GrpcClient {
	readonly #connection: Duplex;
	readonly #session: ClientHttp2Session;
	/** Why the connection broke, in the words of whoever noticed first. */
	#failure: Error | undefined;

	constructor(connection: Duplex) {
		this.#connection = connection;
		this.#session = connect("http://docker", {
			...HEADER_LIMITS,
			createConnection: () => connection,
		});
		const fail = (error: Error) => {
			this.#failure ??= error;
			this.close();
		};
		connection.on("error", fail);
		this.#session.on("error", fail);
		// A channel may stay half open; a peer that sends no more has no more answers either.
		connection.once("end", () => this.close());
	}

	async unary<Request extends DescMessage, Response extends DescMessage>(
		method: DescMethodUnary<Request, Response>,
		request: MessageInitShape<Request>,
		options: CallOptions,
	): Promise<MessageShape<Response>> {
		let response: MessageShape<Response> | undefined;
		const rest = (stream: ClientHttp2Stream) => limitPauses(stream, pathOf(method));
		for await (const message of this.#call(method, request, options, rest)) response ??= message;
		if (response !== undefined) return response;
		throw new EngineError(`the daemon answered ${pathOf(method)} with nothing`);
	}

	/** The call is sent when the first response is asked for; leaving the loop early cancels it. */
	serverStreaming<Request extends DescMessage, Response extends DescMessage>(
		method: DescMethodServerStreaming<Request, Response>,
		request: MessageInitShape<Request>,
		options: CallOptions,
	): AsyncGenerator<MessageShape<Response>, void, undefined> {
		return this.#call(method, request, options);
	}

	/** Ends the connection and every call on it. */
	close(): void {
		// Not at once: node (20 to 24) crashes if the session is gone when it hands over what it has read.
		setImmediate(() => {
			// Where the daemon has ended it, node ends the connection, too, and crashes if the session says its last
			// word before that is done. The session ends with its connection.
			if (!this.#connection.readableEnded) this.#session.destroy();
			this.#connection.destroy();
		});
	}

	async *#call<Request extends DescMessage, Response extends DescMessage>(
		method: DescMethodUnary<Request, Response> | DescMethodServerStreaming<Request, Response>,
		request: MessageInitShape<Request>,
		{ signal, headers = {} }: CallOptions,
		onStream: (stream: ClientHttp2Stream) => void = () => {},
	): AsyncGenerator<MessageShape<Response>, void, undefined> {
		if (signal.aborted) throw interrupted(signal);
		// Closed, but not destroyed, where the daemon takes no more calls (GOAWAY).
		if (this.#session.closed || this.#session.destroyed) throw this.#broken();
		const stream = this.#session.request({
			":method": "POST",
			":path": pathOf(method),
			"content-type": "application/grpc",
			te: "trailers",
			...headers,
		});
		onStream(stream);
		// What breaks the stream after its status is no news.
		stream.on("error", () => {});
		const cancel = () => {
			stream.close(constants.NGHTTP2_CANCEL);
			// A dead connection would leave it closing for ever.
			stream.destroy();
		};
		signal.addEventListener("abort", cancel, { once: true });
		const answer = watchAnswer(stream, pathOf(method));
		try {
			stream.end(frameMessage(toBinary(method.input, create(method.input, request))));
			for await (const message of readMessages(stream, MESSAGE_LIMIT)) {
				yield decode(method, message);
			}
			throwUnlessOk(answer.status);
		} catch (error) {
			throw this.#explain(error, stream, answer, signal);
		} finally {
			signal.removeEventListener("abort", cancel);
			if (!stream.closed) cancel();
		}
	}

	/** Of several reasons for one end, the one that says most. */
	#explain(
		error: unknown,
		stream: ClientHttp2Stream,
		{ path, hasBegun, status }: Answer,
		signal: AbortSignal,
	): unknown {
		if (signal.aborted) return interrupted(signal);
		if (error instanceof RbuildError || error instanceof GrpcError) return error;
		if (hasBegun && isRefusalToRead(error)) return new UnreadableStatusError(path);
		if (status !== undefined) return new GrpcError(status.code, status.message);
		if (this.#failure !== undefined || this.#session.destroyed) return this.#broken();
		const { rstCode = constants.NGHTTP2_NO_ERROR } = stream;
		return new GrpcError(
			GRPC_STATUS.internal,
			`the daemon reset the call (HTTP/2 code ${rstCode})`,
		);
	}

	#broken(): Error {
		if (this.#failure instanceof RbuildError) return this.#failure;
		return new ConnectionError("lost", "the daemon closed the connection in the middle of a call", {
			cause: this.#failure,
			hint: "the daemon may have stopped: look at its log on that machine (journalctl -u docker)",
		});
	}
}

interface CallStatus {
	readonly code: GrpcError["status"];
	readonly message: string;
}

function limitPauses(stream: ClientHttp2Stream, path: string): void {
	stream.once("response", () => {
		const tooLate = () => {
			stream.destroy(new UnreadableStatusError(path));
		};
		const timer = setTimeout(tooLate, ANSWER_TIMEOUT);
		stream.on("data", () => timer.refresh()).once("close", () => clearTimeout(timer));
	});
}

interface Answer {
	/** Of the call. */
	readonly path: string;
	hasBegun: boolean;
	status: CallStatus | undefined;
}

/** The status is in the trailers; in the headers, where they are all there is to the answer. */
function watchAnswer(stream: ClientHttp2Stream, path: string): Answer {
	const answer: Answer = { path, hasBegun: false, status: undefined };
	const note = (headers: Readonly<Record<string, unknown>>) => {
		answer.hasBegun = true;
		const code = headers["grpc-status"];
		if (typeof code !== "string") return;
		const message = decodeStatusMessage(String(headers["grpc-message"] ?? ""));
		answer.status = { code: parseStatus(code), message };
	};
	stream.on("response", note).on("trailers", note);
	return answer;
}

/** Whether nghttp2 did not take what the peer sent, as node tells of it. */
function isRefusalToRead(error: unknown): boolean {
	return error instanceof Error && "code" in error && error.code === "ERR_HTTP2_ERROR";
}

function throwUnlessOk(status: CallStatus | undefined): void {
	if (status === undefined) throw new Error("the call ended without a status");
	if (status.code !== GRPC_STATUS.ok) throw new GrpcError(status.code, status.message);
}

function decode<Response extends DescMessage>(
	method: { readonly output: Response } & Named,
	message: Uint8Array,
): MessageShape<Response> {
	try {
		return fromBinary(method.output, message);
	} catch (cause) {
		throw new EngineError(`the daemon's answer to ${pathOf(method)} makes no sense`, { cause });
	}
}

interface Named {
	readonly name: string;
	readonly parent: { readonly typeName: string };
}

function pathOf({ name, parent }: Named): string {
	return `/${parent.typeName}/${name}`;
}
