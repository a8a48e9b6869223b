import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { RbuildError } from "../errors.js";
import { GRPC_STATUS, GrpcError } from "./grpc/grpc-status.js";
import {
	Content,
	ReadContentRequestSchema,
	ReadContentResponseSchema,
	type WriteContentRequest,
	WriteContentRequestSchema,
	WriteContentResponseSchema,
} from "./proto/gen/content_pb.js";
import { type Call, decode, type SessionService, unary } from "./session-service.js";

/** The header by which the daemon says of which store it speaks (session/content/attachable.go). */
const STORE_HEADER = "buildkit-attachable-store-id";

/** What a message of Write is about (WriteAction in content.proto). */
const ACTION = { stat: 0, write: 1, commit: 2 } as const;

/** Everything that names a file here by a digest relies on its form. */
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Blobs by their digests ("sha256:…"), which are always well-formed. */
export interface BlobStore {
	/** In bytes; undefined for what is not there. */
	size(digest: string): Promise<number | undefined>;
	/** A part of what is there. */
	read(digest: string, start: number, length: number): AsyncIterable<Uint8Array>;
	/** Begins a blob. */
	write(): Promise<BlobWriter>;
}

/** A blob that is not there before it is committed. Disposing of it gives up what was not. */
interface BlobWriter extends AsyncDisposable {
	/** Bytes so far. */
	readonly length: number;
	append(data: Uint8Array): Promise<void>;
	/** Begins anew. */
	clear(): Promise<void>;
	/** Of what has come so far. */
	digest(): string;
	/** Puts it among the others, under its digest. */
	commit(): Promise<void>;
}

/**
 * Lets BuildKit read and write blobs of this side: the caches of `type=local`, and images of oci-layout://
 * (session/content, which serves containerd's content store).
 *
 * @param stores by the names that the daemon was told
 * @param onFailure told why a store could not take something
 */
export function contentService(
	stores: ReadonlyMap<string, BlobStore>,
	onFailure: (error: RbuildError) => void,
): SessionService {
	const storeOf = ({ headers }: Call): BlobStore => {
		const name = String(headers[STORE_HEADER] ?? "");
		const store = stores.get(name);
		if (store !== undefined) return store;
		throw new GrpcError(GRPC_STATUS.notFound, `this build has no store ${JSON.stringify(name)}`);
	};
	const path = (method: { readonly name: string }) => `/${Content.typeName}/${method.name}`;
	return {
		methods: [
			unary(Content.method.info, async ({ digest }, call) => ({
				info: { digest, size: BigInt(await sizeOf(storeOf(call), digest)) },
			})),
			{
				path: path(Content.method.read),
				async *handle(requests, call) {
					for await (const request of requests) yield* read(storeOf(call), request);
				},
			},
			{
				path: path(Content.method.write),
				async *handle(requests, call) {
					try {
						yield* write(storeOf(call), requests);
					} catch (error) {
						if (!(error instanceof RbuildError)) throw error;
						onFailure(error);
						throw new GrpcError(GRPC_STATUS.unknown, error.message);
					}
				},
			},
			// What was begun and not committed is given up at the end of its call.
			unary(Content.method.abort, () => ({})),
		],
	};
}

async function sizeOf(store: BlobStore, digest: string): Promise<number> {
	const size = await store.size(wellFormed(digest));
	if (size === undefined) throw new GrpcError(GRPC_STATUS.notFound, `there is no ${digest}`);
	return size;
}

async function* read(store: BlobStore, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
	const request = decode(ReadContentRequestSchema, bytes);
	const start = Number(request.offset);
	const size = await sizeOf(store, request.digest);
	if (start < 0 || start > size) {
		throw new GrpcError(GRPC_STATUS.outOfRange, `${request.digest} has only ${size} bytes`);
	}
	const left = size - start;
	const wanted = Number(request.size);
	let offset = 0;
	const length = wanted > 0 ? Math.min(wanted, left) : left;
	for await (const data of store.read(request.digest, start, length)) {
		const response = { offset: BigInt(offset), data };
		yield toBinary(ReadContentResponseSchema, create(ReadContentResponseSchema, response));
		offset += data.length;
	}
}

/** Each request is answered, and the last one commits what came (contentserver.go). */
async function* write(
	store: BlobStore,
	requests: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
	await using writer = await store.write();
	let expected: string | undefined;
	for await (const bytes of requests) {
		const request = decode(WriteContentRequestSchema, bytes);
		if (request.expected !== "") {
			expected = wellFormed(request.expected);
			if ((await store.size(expected)) !== undefined) {
				throw new GrpcError(GRPC_STATUS.alreadyExists, `${expected} is there already`);
			}
		}
		if (request.action !== ACTION.stat) await append(writer, request);
		const { action, total } = request;
		const isLast = action === ACTION.commit;
		const digest = isLast ? await commit(writer, total, expected) : "";
		yield response({ action, offset: BigInt(writer.length), total, digest });
		if (isLast) return;
	}
}

async function append(writer: BlobWriter, { offset, data }: WriteContentRequest): Promise<void> {
	if (offset === 0n && writer.length > 0) await writer.clear();
	if (Number(offset) !== writer.length) {
		const message = `a write at ${offset}, after ${writer.length} bytes`;
		throw new GrpcError(GRPC_STATUS.outOfRange, message);
	}
	if (data.length > 0) await writer.append(data);
}

async function commit(
	writer: BlobWriter,
	total: bigint,
	expected: string | undefined,
): Promise<string> {
	const isWhole = total === 0n || Number(total) === writer.length;
	const digest = writer.digest();
	if (isWhole && digest === (expected ?? digest)) {
		await writer.commit();
		return digest;
	}
	const what = isWhole ? `is not ${expected}` : `is ${writer.length} bytes of ${total}`;
	throw new GrpcError(GRPC_STATUS.failedPrecondition, `what was written ${what}`);
}

function response(message: MessageInitShape<typeof WriteContentResponseSchema>): Uint8Array {
	return toBinary(WriteContentResponseSchema, create(WriteContentResponseSchema, message));
}

function wellFormed(digest: string): string {
	if (DIGEST.test(digest)) return digest;
	throw new GrpcError(
		GRPC_STATUS.invalidArgument,
		`${JSON.stringify(digest)} is not a SHA-256 digest`,
	);
}
