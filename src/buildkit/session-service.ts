import type { IncomingHttpHeaders } from "node:http2";
import {
	create,
	type DescMessage,
	type DescMethodUnary,
	fromBinary,
	type MessageInitShape,
	type MessageShape,
	toBinary,
} from "@bufbuild/protobuf";
import type { FramedMessages } from "./grpc/grpc-frames.js";
import { GRPC_STATUS, GrpcError } from "./grpc/grpc-status.js";

/** Something the daemon may ask of this side during a build, such as registry credentials. */
export interface SessionService {
	readonly methods: readonly SessionMethod[];
}

/**
 * One gRPC method, at the level of serialized messages: requests are pulled as the handler is ready
 * for them, and responses as the link takes them, so a stream of any length needs little memory.
 * Throwing a GrpcError ends the call with its status.
 */
export interface SessionMethod {
	/** "/package.Service/Method". */
	readonly path: string;
	handle(
		requests: AsyncIterable<Uint8Array>,
		call: Call,
	): AsyncIterable<Uint8Array | FramedMessages>;
}

/** What a handler may know of the call it answers. */
export interface Call {
	readonly headers: IncomingHttpHeaders;
	/** Names and values in turn, as sent: in `headers` repeated ones are joined with ", ". */
	readonly rawHeaders: readonly string[];
	/** Whether messages may be compressed by gzip, each as its prefix says. */
	readonly takesGzip: boolean;
	/** Aborted when the daemon cancels the call or the session ends. */
	readonly signal: AbortSignal;
}

/** A method with one request and one response, both protobuf messages. */
export function unary<Request extends DescMessage, Response extends DescMessage>(
	method: DescMethodUnary<Request, Response>,
	answer: (
		request: MessageShape<Request>,
		call: Call,
	) => MessageInitShape<Response> | Promise<MessageInitShape<Response>>,
): SessionMethod {
	return {
		path: `/${method.parent.typeName}/${method.name}`,
		async *handle(requests, call) {
			const request = decode(method.input, await onlyOne(requests));
			const response = await answer(request, call);
			yield toBinary(method.output, create(method.output, response));
		},
	};
}

async function onlyOne(requests: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
	let only: Uint8Array | undefined;
	for await (const request of requests) {
		if (only !== undefined) {
			throw new GrpcError(GRPC_STATUS.internal, "more than one request in a unary call");
		}
		only = request;
	}
	if (only === undefined) {
		throw new GrpcError(GRPC_STATUS.internal, "no request in a unary call");
	}
	return only;
}

/** @throws GrpcError */
export function decode<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array) {
	try {
		return fromBinary(schema, bytes);
	} catch {
		throw new GrpcError(GRPC_STATUS.internal, `the request is not a ${schema.typeName}`);
	}
}
