import { once } from "node:events";
import {
	type ClientHttp2Session,
	type ClientHttp2Stream,
	connect,
	type IncomingHttpHeaders,
} from "node:http2";
import { Socket } from "node:net";
import { Duplex } from "node:stream";

/** How a call ended, and the messages that came before. */
export interface Answer {
	readonly status: string | undefined;
	readonly message: string;
	readonly responses: readonly Buffer[];
}

/** RFC 9113, 6.9.2. */
const HTTP2_WINDOW = 65_535;

/** The daemon's side of a session: a gRPC client made of nothing but node's http2. */
export class GrpcPeer {
	readonly session: ClientHttp2Session;

	/** @param window how much may be sent to it before it says that it has read it, in bytes */
	constructor(connection: Duplex, window = HTTP2_WINDOW) {
		const settings = { initialWindowSize: window };
		// Node crashes where a pipe of Windows still writes what it was given before (nodejs/node#63436).
		const isPipe = process.platform === "win32" && connection instanceof Socket;
		const stream = isPipe
			? Duplex.from({ readable: connection, writable: connection })
			: connection;
		this.session = connect("http://localhost", { createConnection: () => stream, settings });
		this.session.on("connect", () => this.session.setLocalWindowSize(window)).on("error", () => {});
	}

	open(path: string, headers: Record<string, string | string[]> = {}): ClientHttp2Stream {
		const stream = this.session.request({
			":method": "POST",
			":path": path,
			"content-type": "application/grpc",
			te: "trailers",
			...headers,
		});
		stream.on("error", () => {});
		return stream;
	}

	/** @param body what is sent in all, framed or deliberately not */
	async call(path: string, body: Uint8Array): Promise<Answer> {
		const stream = this.open(path);
		stream.end(body);
		return answerOf(stream);
	}
}

export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
	let statusHeaders: IncomingHttpHeaders = {};
	stream.on("response", (headers) => Object.assign(statusHeaders, headers));
	stream.on("trailers", (trailers) => {
		statusHeaders = trailers;
	});
	const chunks: Buffer[] = [];
	stream.on("data", (chunk: Buffer) => chunks.push(chunk));
	await once(stream, "close");
	return {
		status: statusHeaders["grpc-status"] as string | undefined,
		message: decodeURIComponent(String(statusHeaders["grpc-message"] ?? "")),
		responses: unframe(Buffer.concat(chunks)),
	};
}

export function frame(message: Uint8Array | string): Buffer {
	const bytes = Buffer.from(message);
	const prefix = Buffer.alloc(5);
	prefix.writeUInt32BE(bytes.length, 1);
	return Buffer.concat([prefix, bytes]);
}

function unframe(bytes: Buffer): Buffer[] {
	const messages: Buffer[] = [];
	for (let at = 0; at < bytes.length; ) {
		const length = bytes.readUInt32BE(at + 1);
		messages.push(bytes.subarray(at + 5, at + 5 + length));
		at += 5 + length;
	}
	return messages;
}
