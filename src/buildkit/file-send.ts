import { fromBinary } from "@bufbuild/protobuf";
import { GRPC_STATUS, GrpcError } from "./grpc/grpc-status.js";
import { BytesMessageSchema, FileSend } from "./proto/gen/filesync_pb.js";
import type { Call, SessionService } from "./session-service.js";

/** What one exporter of the build sends. */
export interface SentExport {
	/** Its place among the exporters that were asked for, from 0. */
	readonly exporter: number;
	/** Of an image's manifest or index: "sha256:" and 64 hex digits. */
	readonly digest: string | undefined;
	readonly bytes: AsyncIterable<Uint8Array>;
	/** Aborted when the daemon cancels the call or the session ends. */
	readonly signal: AbortSignal;
}

/** Once it resolves, the daemon counts what it sent as delivered. */
type TakeExport = (sent: SentExport) => Promise<void>;

/**
 * Receives what a build exports as one stream of bytes: BuildKit's exporters "tar", "oci" and "docker"
 * (session/filesync, CopyFileWriter). A stream that ends is not yet a whole one: BuildKit ends it in
 * the same way when it cannot go on, and then fails the build.
 */
export function fileSendService(take: TakeExport): SessionService {
	const { parent, name } = FileSend.method.diffCopy;
	return {
		methods: [
			{
				path: `/${parent.typeName}/${name}`,
				async *handle(messages, call) {
					const { signal } = call;
					const exporter = exporterOf(call);
					await take({ exporter, digest: digestOf(call), bytes: contents(messages), signal });
					// The daemon waits for the end of the answer, which is empty.
					yield* [];
				},
			},
		],
	};
}

/** BuildKit before 0.13 has one exporter and does not number it. */
function exporterOf({ headers }: Call): number {
	return Number(headers["buildkit-attachable-exporter-id"] ?? 0);
}

/** BuildKit's exporters "oci" and "docker" say it beforehand (exporter/oci/export.go). */
function digestOf({ headers }: Call): string | undefined {
	const digest = headers["exporter-md-containerimage.digest"];
	return typeof digest === "string" && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined;
}

async function* contents(messages: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
	for await (const message of messages) yield decode(message);
}

function decode(message: Uint8Array): Uint8Array {
	try {
		return fromBinary(BytesMessageSchema, message).data;
	} catch {
		throw new GrpcError(GRPC_STATUS.internal, "the request is not a BytesMessage");
	}
}
