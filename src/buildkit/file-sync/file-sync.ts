import type { SelectableDirectory } from "../../context/entries/context-selection.js";
import { InterruptedError, RbuildError } from "../../errors.js";
import type { StreamCompression } from "../../transport/stream-compression.js";
import { GRPC_STATUS, GrpcError } from "../grpc/grpc-status.js";
import { FileSync } from "../proto/gen/filesync_pb.js";
import type { Call, SessionService } from "../session-service.js";
import { ContentCompression } from "./content-compression.js";
import { type CopyObserver, diffCopy } from "./diff-copy.js";
import { DaemonSideError } from "./packet-inbox.js";
import { type RequestedPart, readRequestedPart } from "./requested-part.js";
import { StreamEffort } from "./stream-effort.js";

export interface FileSyncOptions {
	/** What the daemon may ask for, by the names it uses: "context" and "dockerfile". */
	readonly directories: ReadonlyMap<string, SelectableDirectory>;
	/** Whether the link is likely to be what takes the time; content is compressed from the beginning then. */
	readonly isFar: boolean;
	/** Compresses all that is sent, where that can be done: several files as one, and for any daemon. */
	readonly compressStream: () => StreamCompression;
	/** Called when a transfer begins; what it returns is told how the transfer goes on. */
	readonly onTransfer: (part: RequestedPart) => TransferObserver;
}

export interface TransferObserver extends CopyObserver {
	/** The daemon has what it wants. */
	done(): void;
	/**
	 * Why this side ended the transfer: a ContextError, or an EngineError for a daemon that does not keep
	 * to the protocol. Where the daemon ended it, it says so in the output of the build.
	 */
	failed(error: RbuildError): void;
}

/** Gives the daemon the files that a build needs and that it does not have (session/filesync). */
export function fileSyncService(options: FileSyncOptions): SessionService {
	const { directories, isFar, compressStream, onTransfer } = options;
	// One for all transfers, as they go over the same link.
	const effort = new StreamEffort(isFar);
	const compression = isFar ? new ContentCompression() : undefined;
	const { parent, name } = FileSync.method.diffCopy;
	return {
		methods: [
			{
				path: `/${parent.typeName}/${name}`,
				async *handle(packets, call) {
					const part = readRequestedPart(call.rawHeaders);
					const directory = directories.get(part.directory) ?? refuse(part, directories);
					const observer = onTransfer(part);
					try {
						using selection = await directory.select(part.filter);
						using stream = compressStream();
						const squeezing = stream.isPossible
							? { stream, effort, compression: undefined }
							: {
									stream,
									effort: undefined,
									compression: call.takesGzip ? compression : undefined,
								};
						yield* diffCopy(selection, packets, squeezing, observer);
						observer.done();
					} catch (error) {
						throw endOfCall(error, call, observer);
					}
				},
			},
		],
	};
}

function refuse(
	{ directory }: RequestedPart,
	directories: ReadonlyMap<string, SelectableDirectory>,
): never {
	const offered = [...directories.keys()].map((name) => `"${name}"`).join(" and ");
	throw new GrpcError(
		GRPC_STATUS.notFound,
		`the daemon asked for the directory ${JSON.stringify(directory)}, but this build has only ${offered}`,
	);
}

/** What ends up in the call's status; the observer hears of it if the reason is on this side. */
function endOfCall(error: unknown, { signal }: Call, observer: TransferObserver): unknown {
	if (error instanceof DaemonSideError) return new GrpcError(GRPC_STATUS.unknown, error.message);
	if (!(error instanceof RbuildError)) return error;
	if (!signal.aborted && !(error instanceof InterruptedError)) observer.failed(error);
	return new GrpcError(GRPC_STATUS.unknown, error.message);
}
