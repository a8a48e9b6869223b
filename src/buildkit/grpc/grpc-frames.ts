import { GRPC_STATUS, GrpcError } from "./grpc-status.js";

/** "Length-Prefixed-Message" of gRPC over HTTP/2: compressed flag (1 byte), length (4 bytes, big endian). */
const PREFIX_BYTES = 5;

/** What comes before a message of so many bytes. */
export function messagePrefix(length: number, { compressed = false } = {}): Uint8Array {
	return Uint8Array.of(compressed ? 1 : 0, length >>> 24, length >>> 16, length >>> 8, length);
}

/** Messages in a row that have their prefixes: what is many and small is cheaper to send at once. */
export class FramedMessages {
	readonly bytes: Uint8Array;

	constructor(bytes: Uint8Array) {
		this.bytes = bytes;
	}
}

/** One message as it goes over the wire, uncompressed. */
export function frameMessage(message: Uint8Array): Uint8Array {
	const frame = new Uint8Array(PREFIX_BYTES + message.length);
	frame.set(messagePrefix(message.length));
	frame.set(message, PREFIX_BYTES);
	return frame;
}

/**
 * Cuts a call's bytes into its messages.
 *
 * @param limit longest message that is taken, in bytes; a longer one is refused before it is read
 * @throws GrpcError for a message that is too long, compressed (rbuild offers no grpc-accept-encoding)
 * or not there to its end
 */
export async function* readMessages(
	chunks: AsyncIterable<Uint8Array>,
	limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
	let parts: Uint8Array[] = [];
	let buffered = 0;
	let needed = PREFIX_BYTES;
	let readingPrefix = true;

	for await (const chunk of chunks) {
		parts.push(chunk);
		buffered += chunk.length;
		while (buffered >= needed) {
			const all = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, buffered);
			const piece = all.subarray(0, needed);
			parts = [all.subarray(needed)];
			buffered -= needed;
			if (readingPrefix) {
				needed = messageLength(piece, limit);
			} else {
				yield piece;
				needed = PREFIX_BYTES;
			}
			readingPrefix = !readingPrefix;
		}
	}
	if (buffered > 0 || !readingPrefix) {
		throw new GrpcError(GRPC_STATUS.internal, "the call ended in the middle of a message");
	}
}

function messageLength(prefix: Uint8Array, limit: number): number {
	if (prefix[0] !== 0) {
		throw new GrpcError(GRPC_STATUS.unimplemented, "compressed messages are not supported");
	}
	const length = new DataView(prefix.buffer, prefix.byteOffset).getUint32(1);
	if (length > limit) {
		throw new GrpcError(
			GRPC_STATUS.resourceExhausted,
			`a message of ${length} bytes is over the limit of ${limit}`,
		);
	}
	return length;
}
