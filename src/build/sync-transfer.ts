import { basename } from "node:path";
import { fileSyncService } from "../buildkit/file-sync/file-sync.js";
import type { SessionService } from "../buildkit/session-service.js";
import type { LocalContext } from "../context/build-context.js";
import { isWorthCompressing } from "../context/compression-level.js";
import type { SelectableDirectory } from "../context/context-selection.js";
import { type BuildRequest, buildImage } from "../engine/build-request.js";
import type { Engine } from "../engine/engine.js";
import type { Environment } from "../environment.js";
import type { Run } from "../events.js";
import { explainRefusal, readBuildOutput } from "./build-output.js";
import type { BuildPlan } from "./build-plan.js";
import { type ContextIndex, openContextIndex } from "./context-index.js";
import { placeKey } from "./context-key.js";
import { type BuildIds, buildInSession } from "./session-build.js";
import { SyncUpload } from "./sync-upload.js";
import type { SentBuild, Transfer } from "./transfer.js";

/** Has BuildKit ask for what it wants of a directory and does not have from an earlier build. */
export function syncTransfer(
	context: LocalContext,
	services: readonly SessionService[],
	environment: Environment,
): Transfer {
	return {
		async send(engine, _context, plan, run) {
			const index = plan.contextIndex
				? await openContextIndex(engine, context, plan, environment, run)
				: undefined;
			const upload = new SyncUpload(context.totals(), run.emit);
			const session = {
				services: [...services, filesOf(context, engine, index, upload)],
				name: basename(context.root),
				sharedKey: index?.sharedKey ?? placeKey(context.root),
			};
			try {
				return await buildInSession(engine, session, run, (ids) =>
					build(engine, context, plan, upload, ids, run),
				);
			} finally {
				await index?.settled();
			}
		},
	};
}

function filesOf(
	context: LocalContext,
	engine: Engine,
	index: ContextIndex | undefined,
	upload: SyncUpload,
): SessionService {
	const directory: SelectableDirectory = {
		async select(filter) {
			await index?.ready;
			return context.directory.select(filter);
		},
	};
	const onContextDone = () => {
		index?.transferred();
		// What was ignored is only for the report, so it waits until this side has nothing else to do.
		context.measureIgnored().catch(() => {});
	};
	return fileSyncService({
		directories: new Map([
			["context", directory],
			["dockerfile", context.dockerfileDirectory.files],
		]),
		compress: isWorthCompressing(engine.roundTripMs),
		onTransfer: (part) => upload.begin(part, onContextDone),
	});
}

async function build(
	engine: Engine,
	context: LocalContext,
	plan: BuildPlan,
	upload: SyncUpload,
	ids: BuildIds,
	run: Run,
): Promise<SentBuild> {
	const dockerfile = { displayName: context.dockerfileName, content: context.dockerfileContent };
	const request: BuildRequest = {
		...plan.request,
		...ids,
		dockerfile: context.dockerfileDirectory.dockerfile,
		context: { kind: "session" },
	};
	try {
		const output = buildImage(engine, request, AbortSignal.any([run.signal, upload.failed]));
		const { imageId } = await readBuildOutput(output, dockerfile, run);
		upload.end();
		return { image: { id: imageId, tags: plan.tags }, uploadMs: upload.durationMs };
	} catch (error) {
		// The daemon only tells in its words what went wrong on this side.
		throw upload.failure ?? explainRefusal(error, dockerfile);
	}
}
