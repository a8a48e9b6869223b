/** The status codes of gRPC that sessions answer with (grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export const GRPC_STATUS = {
	ok: 0,
	unknown: 2,
	invalidArgument: 3,
	notFound: 5,
	resourceExhausted: 8,
	unimplemented: 12,
	internal: 13,
	unavailable: 14,
	unauthenticated: 16,
} as const;

export type GrpcStatus = (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];

/** Ends one call with a status for the daemon. The message goes over the wire: no secrets. */
export class GrpcError extends Error {
	readonly status: GrpcStatus;

	constructor(status: GrpcStatus, message: string) {
		super(message);
		this.name = "GrpcError";
		this.status = status;
	}
}

/**
 * The grpc-message trailer: UTF-8 with everything but printable ASCII, and "%" itself, as %XX
 * ("Percent-Encoded" in gRPC over HTTP/2).
 */
export function encodeStatusMessage(message: string): string {
	let encoded = "";
	for (const byte of Buffer.from(message, "utf8")) {
		const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
		encoded += plain
			? String.fromCharCode(byte)
			: `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
	}
	return encoded;
}
