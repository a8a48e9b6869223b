import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { create, toBinary } from "@bufbuild/protobuf";
import { RbuildError } from "../errors.js";
import { GRPC_STATUS, GrpcError } from "./grpc-status.js";
import { BytesMessageSchema, Upload } from "./proto/gen/upload_pb.js";
import type { SessionService } from "./session-service.js";

/** BuildKit takes this host for its session (source/http/transport.go). */
const SESSION_URL = "http://buildkit-session";

export interface ArchiveUpload {
	/** What the daemon is told to build from. */
	readonly url: string;
	readonly service: SessionService;
}

/**
 * Gives the daemon an archive when it fetches a URL that only the session knows (session/upload).
 *
 * @param archive can be fetched once
 */
export function archiveUpload(archive: Readable): ArchiveUpload {
	const path = `/${randomBytes(16).toString("hex")}`;
	const { parent, name } = Upload.method.pull;
	let isTaken = false;
	return {
		url: SESSION_URL + path,
		service: {
			methods: [
				{
					path: `/${parent.typeName}/${name}`,
					async *handle(_requests, { headers }) {
						if (headers.urlpath !== path || isTaken) {
							throw new GrpcError(GRPC_STATUS.notFound, `there is no ${headers.urlpath} to fetch`);
						}
						isTaken = true;
						try {
							for await (const data of archive as AsyncIterable<Buffer>) {
								yield toBinary(BytesMessageSchema, create(BytesMessageSchema, { data }));
							}
						} catch (error) {
							// Told by whoever reads the archive.
							if (!(error instanceof RbuildError)) throw error;
							throw new GrpcError(GRPC_STATUS.unknown, error.message);
						}
					},
				},
			],
		},
	};
}
