/** The status codes of gRPC (grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export const GRPC_STATUS = {
	ok: 0,
	cancelled: 1,
	unknown: 2,
	invalidArgument: 3,
	deadlineExceeded: 4,
	notFound: 5,
	alreadyExists: 6,
	permissionDenied: 7,
	resourceExhausted: 8,
	failedPrecondition: 9,
	aborted: 10,
	outOfRange: 11,
	unimplemented: 12,
	internal: 13,
	unavailable: 14,
	dataLoss: 15,
	unauthenticated: 16,
} as const;

export type GrpcStatus = (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];

/**
 * What one call ended with. On the way to the daemon the message goes over the wire: no secrets. From
 * there, it is in the daemon's words.
 */
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

/** The other way round; what is not encoded as it should be stays as it is. */
export function decodeStatusMessage(encoded: string): string {
	const bytes = encoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
		String.fromCharCode(Number.parseInt(hex, 16)),
	);
	return Buffer.from(bytes, "latin1").toString("utf8");
}

/** The value of the grpc-status trailer. A number that nobody knows counts as "unknown". */
export function parseStatus(text: string): GrpcStatus {
	const known = Object.values(GRPC_STATUS).find((status) => String(status) === text);
	return known ?? GRPC_STATUS.unknown;
}
