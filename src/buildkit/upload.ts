import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { create, toBinary } from "@bufbuild/protobuf";
import { RbuildError } from "../errors.js";
import { GRPC_STATUS, GrpcError } from "./grpc/grpc-status.js";
import { BytesMessageSchema, Upload } from "./proto/gen/upload_pb.js";
import type { SessionService } from "./session-service.js";

/** BuildKit takes this host for its session (source/http/transport.go). */
const SESSION_URL = "http://buildkit-session";

const FETCHED_TWICE = "the build context was lost on the box, and cannot be read a second time";

interface ArchiveUpload {
	/** What the daemon is told to build from. */
	readonly url: string;
	readonly service: SessionService;
}

/**
 * Gives the daemon an archive when it fetches a URL that only the session knows (session/upload). It
 * fetches a second time where what it fetched was pruned before it was used (source/http: CacheKey lets
 * go of it, and Snapshot takes it up again), and then wants the same bytes.
 *
 * @param open begins the archive anew each time; undefined where that cannot be done
 */
export function archiveUpload(open: () => Readable | undefined): ArchiveUpload {
	const path = `/${randomBytes(16).toString("hex")}`;
	const { parent, name } = Upload.method.pull;
	return {
		url: SESSION_URL + path,
		service: {
			methods: [
				{
					path: `/${parent.typeName}/${name}`,
					async *handle(_requests, { headers }) {
						if (headers.urlpath !== path) {
							throw new GrpcError(GRPC_STATUS.notFound, `there is no ${headers.urlpath} to fetch`);
						}
						const archive = open();
						if (archive === undefined) throw new GrpcError(GRPC_STATUS.notFound, FETCHED_TWICE);
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
