import {
	type IncomingHttpHeaders,
	performServerHandshake,
	type ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import { RbuildError } from "../../errors.js";
import type { Call, SessionMethod } from "../session-service.js";
import { FramedMessages, frameMessage, readMessages } from "./grpc-frames.js";
import { encodeStatusMessage, GRPC_STATUS, GrpcError, type GrpcStatus } from "./grpc-status.js";
import { MOST_HEADER_BYTES } from "./joined-headers.js";
import { PacedWriter } from "./paced-writer.js";

/** Longest request message, in bytes; BuildKit's own limit (containerd's DefaultMaxRecvMsgSize). */
const MESSAGE_LIMIT = 16 * 1024 * 1024;

/** Far more than a build asks for at once; gRPC clients wait for their turn. */
const CONCURRENT_CALLS = 128;

/**
 * How many bytes the peer may send of a call, and of all calls, before it hears that they were read. The
 * 64 KiB of HTTP/2 would let a build's output come at 1.3 MB/s where the round trip takes 50 ms.
 */
const WINDOW = 2 * 1024 * 1024;

/**
 * BuildKit puts every rule of a .dockerignore into a header of its own, of which node takes 128 and
 * 64 KiB in all. nghttp2 takes no more than nine frames of them: see joined-headers.ts.
 */
const HEADER_LIMITS = {
	maxHeaderListPairs: 100_000,
	settings: {
		maxHeaderListSize: 16 * 1024 * 1024,
		maxFrameSize: MOST_HEADER_BYTES,
		maxConcurrentStreams: CONCURRENT_CALLS,
		initialWindowSize: WINDOW,
	},
};

/** The arguments of node's "stream" event; its declared type does not reach an inline listener. */
type IncomingStream = [
	stream: ServerHttp2Stream,
	headers: IncomingHttpHeaders,
	flags: number,
	rawHeaders: string[],
];

export interface GrpcServer {
	/** Resolves when the connection is gone, whoever ended it. */
	readonly closed: Promise<void>;
	/** Ends the connection and every call on it. */
	close(): void;
}

interface GrpcServerOptions {
	readonly methods: readonly SessionMethod[];
	/** Told of a call that could not be answered for a reason on this side. */
	readonly onFailure: (path: string, error: unknown) => void;
}

/**
 * Serves gRPC (HTTP/2 with prior knowledge) on one stream that is already connected. Nothing that the
 * peer sends throws out of it: a bad call gets a status, a bad connection is closed.
 */
export function serveGrpc(
	connection: Duplex,
	{ methods, onFailure }: GrpcServerOptions,
): GrpcServer {
	const methodOf = new Map(methods.map((method) => [method.path, method]));
	const session = performServerHandshake(connection, HEADER_LIMITS);
	session.setLocalWindowSize(WINDOW);
	// Not at once: what the peer sent together with its handshake is handed over on the next tick, and
	// node (20 to 24) crashes if the session is gone by then.
	const close = () => {
		setImmediate(() => {
			session.destroy();
			connection.destroy();
		});
	};
	const closed = new Promise<void>((resolve) => {
		session.once("close", () => {
			connection.destroy();
			resolve();
		});
	});
	// What broke the connection is its owner's to tell; here it only means the end. The session listens
	// to the connection, too, but no longer than it lives.
	session.on("error", close);
	connection.on("error", close);
	// A channel may stay half open; a peer that sends no more wants no more answers either.
	connection.once("end", close);
	const accept = (...[stream, headers, , rawHeaders]: IncomingStream) => {
		void answerCall(stream, headers, rawHeaders, methodOf, onFailure);
	};
	session.on("stream", accept);
	return { closed, close };
}

async function answerCall(
	stream: ServerHttp2Stream,
	headers: IncomingHttpHeaders,
	rawHeaders: readonly string[],
	methodOf: ReadonlyMap<string, SessionMethod>,
	onFailure: GrpcServerOptions["onFailure"],
): Promise<void> {
	const ended = new AbortController();
	stream.once("close", () => ended.abort());
	// A reset by the peer comes as an error; the "close" after it says all there is to say.
	stream.on("error", () => {});

	const path = headers[":path"] ?? "";
	const takesGzip = offersGzip(headers);
	const call = { headers, rawHeaders, takesGzip, signal: ended.signal };
	try {
		await runMethod(stream, methodOf.get(path), call);
		finish(stream, GRPC_STATUS.ok, "");
	} catch (error) {
		if (ended.signal.aborted || stream.destroyed) return;
		if (!(error instanceof GrpcError)) onFailure(path, error);
		finish(stream, ...statusOf(error));
	}
}

async function runMethod(
	stream: ServerHttp2Stream,
	method: SessionMethod | undefined,
	call: Call,
): Promise<void> {
	if (method === undefined) {
		throw new GrpcError(
			GRPC_STATUS.unimplemented,
			`rbuild does not serve ${call.headers[":path"]}`,
		);
	}
	const writer = new PacedWriter(stream);
	// A plain `for await` would destroy the stream, and the answer with it, on a bad message.
	const chunks = stream.iterator({ destroyOnReturn: false });
	for await (const response of method.handle(readMessages(chunks, MESSAGE_LIMIT), call)) {
		if (stream.destroyed) return;
		if (!stream.headersSent) {
			const headers = call.takesGzip ? GZIP_ANSWER_HEADERS : ANSWER_HEADERS;
			stream.respond(headers, { waitForTrailers: true });
		}
		const framed = response instanceof FramedMessages ? response.bytes : frameMessage(response);
		await writer.write(framed);
	}
}

const ANSWER_HEADERS = { ":status": 200, "content-type": "application/grpc" } as const;
/** Names what a message is compressed by whose prefix says so; others may still be as they are. */
const GZIP_ANSWER_HEADERS = { ...ANSWER_HEADERS, "grpc-encoding": "gzip" } as const;

/** "Message-Accept-Encoding" of gRPC over HTTP/2: a list; without it, nothing may be compressed. */
function offersGzip({ "grpc-accept-encoding": offered = "" }: IncomingHttpHeaders): boolean {
	return String(offered)
		.split(",")
		.some((name) => name.trim() === "gzip");
}

function finish(stream: ServerHttp2Stream, status: GrpcStatus, message: string): void {
	if (stream.destroyed) return;
	const trailers = {
		"grpc-status": String(status),
		...(message === "" ? {} : { "grpc-message": encodeStatusMessage(message) }),
	};
	if (stream.headersSent) {
		stream.once("wantTrailers", () => stream.sendTrailers(trailers));
		stream.end();
	} else {
		stream.respond({ ...ANSWER_HEADERS, ...trailers }, { endStream: true });
	}
	// Requests that nobody reads any more would keep the stream.
	stream.resume();
}

/** An RbuildError's message is made to be shown; any other may hold anything. */
function statusOf(error: unknown): [GrpcStatus, string] {
	if (error instanceof GrpcError) return [error.status, error.message];
	if (error instanceof RbuildError) return [GRPC_STATUS.unknown, error.message];
	return [GRPC_STATUS.internal, "rbuild failed to answer"];
}
