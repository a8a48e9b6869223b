import { type FrameFilter, HEADER_BYTES } from "./filtered-frames.js";

/** Types of frames, and what HEADERS and CONTINUATION say of themselves (RFC 9113, sections 6.2 and 6.10). */
const HEADERS = 1;
const CONTINUATION = 9;
const END_HEADERS = 4;
const PADDED = 8;

/** Longest frame that is joined with others: what each peer takes (section 4.2), and grpc-go sends. */
const LONGEST_PART = 16 * 1024;

/** What the headers of a request may come to, compressed: as one frame, and as buildx takes them uncompressed. */
export const MOST_HEADER_BYTES = 1024 * 1024;

/**
 * Makes one frame of the headers of a request, however many they came in: nghttp2 refuses more than nine, and
 * BuildKit puts all of a .dockerignore, and each source of a COPY, into them.
 */
export function joinedHeaders(): FrameFilter {
	let parts: Buffer[] = [];
	let bytes = 0;
	const asTheyCame = () => {
		const frames = Buffer.concat(parts);
		parts = [];
		bytes = 0;
		return frames;
	};
	return {
		wants(header) {
			if (header.readUIntBE(0, 3) > LONGEST_PART) return false;
			const [type, flags] = [header.readUInt8(3), header.readUInt8(4)];
			// Padding is at the end of the first one.
			return parts.length > 0 || (type === HEADERS && (flags & (END_HEADERS | PADDED)) === 0);
		},
		pass(frame) {
			const isFirst = parts.length === 0;
			const isNext = isSameStream(parts[0] ?? frame, frame) && frame[3] === CONTINUATION;
			parts.push(frame);
			bytes += frame.length - HEADER_BYTES;
			if (isFirst) return Buffer.alloc(0);
			if (!isNext || bytes > MOST_HEADER_BYTES) return asTheyCame();
			if ((frame.readUInt8(4) & END_HEADERS) === 0) return Buffer.alloc(0);
			const header = Buffer.from((parts[0] as Buffer).subarray(0, HEADER_BYTES));
			header.writeUIntBE(bytes, 0, 3);
			header.writeUInt8(header.readUInt8(4) | END_HEADERS, 4);
			const payloads = parts.map((part) => part.subarray(HEADER_BYTES));
			parts = [];
			bytes = 0;
			return Buffer.concat([header, ...payloads]);
		},
	};
}

function isSameStream(one: Buffer, other: Buffer): boolean {
	return one.subarray(5, HEADER_BYTES).equals(other.subarray(5, HEADER_BYTES));
}
