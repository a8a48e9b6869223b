import { fromBinary } from "@bufbuild/protobuf";
import { GRPC_STATUS, GrpcError } from "./grpc-status.js";
import { BytesMessageSchema, FileSend } from "./proto/gen/filesync_pb.js";
import type { Call, SessionService } from "./session-service.js";

/**
 * Takes what one exporter of the build sends; once it resolves, the daemon counts it as delivered.
 *
 * @param exporter its place among the exporters that were asked for, from 0
 */
export type TakeExport = (
	exporter: number,
	bytes: AsyncIterable<Uint8Array>,
	signal: AbortSignal,
) => Promise<void>;

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
					await take(exporterOf(call), contents(messages), call.signal);
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
