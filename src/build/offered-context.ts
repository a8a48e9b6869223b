import { basename } from "node:path";
import type { SolveRequest } from "../buildkit/control.js";
import { directoryDefinition } from "../buildkit/directory-definition.js";
import { fileSyncService } from "../buildkit/file-sync/file-sync.js";
import type { SessionOptions } from "../buildkit/session.js";
import type { SessionService } from "../buildkit/session-service.js";
import { archiveUpload } from "../buildkit/upload.js";
import type { BuildContext, LocalContext } from "../context/build-context.js";
import { isWorthCompressing } from "../context/compression-level.js";
import { isForRules } from "../context/context-filter.js";
import type { SelectableDirectory } from "../context/context-selection.js";
import { fileSet } from "../context/file-set.js";
import type { Engine } from "../engine/engine.js";
import type { RbuildError } from "../errors.js";
import type { Run, UploadReport } from "../events.js";
import { frontendOf, isKnownFrontend } from "../survey/dockerfile/frontends.js";
import type { BuildPlan } from "./build-plan.js";
import type { ContextIndex } from "./context-index.js";
import type { NamedDirectories } from "./named-contexts.js";
import { SyncUpload } from "./sync-upload.js";
import { openUpload, type UploadTotals } from "./upload.js";

/** Bytes that come with a request, unasked: as much as goes out before TCP waits for an answer (RFC 6928). */
const MOST_INPUT = 14_000;

/** The contexts of a build as BuildKit gets them: what it is told of them, and what it then asks for. */
export interface OfferedContext {
	readonly session: Pick<SessionOptions, "name" | "sharedKey" | "services">;
	/** How the Dockerfile frontend finds them. */
	readonly frontendAttrs: Readonly<Record<string, string>>;
	/** What it need not ask for. */
	readonly frontendInputs: SolveRequest["frontendInputs"];
	readonly upload: OfferedUpload;
}

export interface OfferedUpload {
	/** Why this side could not go on; the first reason counts. */
	readonly failure: RbuildError | undefined;
	/** Aborted when there is one for a file: whatever the daemon makes of it, the build cannot succeed. */
	readonly failed: AbortSignal;
	readonly durationMs: number;
	/** What has been done so far; absent where nothing is offered. */
	readonly report: UploadReport | undefined;
	/** To be called when the build is done. */
	end(): void;
}

/** The context proper in one of its three forms. */
interface MainOffer {
	readonly directories: readonly (readonly [string, SelectableDirectory])[];
	readonly services: readonly SessionService[];
	readonly attrs: Readonly<Record<string, string>>;
	readonly inputs?: SolveRequest["frontendInputs"];
	readonly names?: Pick<SessionOptions, "name" | "sharedKey">;
	readonly totals?: UploadTotals;
	readonly upload?: Pick<OfferedUpload, "failure" | "durationMs" | "report">;
}

/** How the daemon is told of a directory. */
export interface Announcement {
	/** Under which it keeps the files. */
	readonly sharedKey: string;
	/** By which files are announced; absent: by their own times. */
	readonly index?: ContextIndex | undefined;
}

/** @param named the directories among the named contexts */
export function offerContext(
	context: BuildContext,
	plan: Pick<BuildPlan, "request">,
	named: NamedDirectories,
	{ index, sharedKey }: Announcement,
	engine: Engine,
	run: Run,
): OfferedContext {
	const main = offerMain(context, plan, { index, sharedKey }, engine, run);
	const directories = new Map([...main.directories, ...named.directories]);
	const contexts = directories.size - (directories.has("dockerfile") ? 1 : 0);
	const sync = new SyncUpload(sum(main.totals, named.totals), run, contexts);
	// What was ignored is only for the report, so it waits until everything is sent.
	const measureIgnored = () => {
		if (context.kind === "directory") context.measureIgnored().catch(() => {});
	};
	const files = fileSyncService({
		directories,
		isFar: isWorthCompressing(engine.roundTripMs),
		compressStream: () => engine.transport.compress(),
		onTransfer(part) {
			const observer = sync.begin(part, measureIgnored);
			if (part.directory !== "context" || isForRules(part.filter)) return observer;
			const done = () => {
				observer.done();
				index?.transferred();
			};
			return { ...observer, done };
		},
	});
	return {
		session: { ...main.names, services: [files, ...main.services] },
		frontendAttrs: main.attrs,
		frontendInputs: main.inputs ?? {},
		upload: {
			get failure() {
				return main.upload?.failure ?? sync.failure;
			},
			failed: sync.failed,
			get durationMs() {
				return Math.max(main.upload?.durationMs ?? 0, sync.durationMs);
			},
			get report() {
				if (directories.size === 0) return main.upload?.report;
				return withArchive(sync.report, main.upload?.report);
			},
			end() {
				if (directories.size > 0) sync.end();
			},
		},
	};
}

function offerMain(
	context: BuildContext,
	plan: Pick<BuildPlan, "request">,
	announcement: Announcement,
	engine: Engine,
	run: Run,
): MainOffer {
	switch (context.kind) {
		case "directory":
			return offerDirectory(context, plan, announcement);
		case "archive":
			return offerArchive(context, engine, run);
		case "remote": {
			const attrs = { ...filename(context), context: context.url };
			return { directories: [], services: [], attrs };
		}
	}
}

function offerArchive(
	context: Extract<BuildContext, { kind: "archive" }>,
	engine: Engine,
	run: Run,
): MainOffer {
	const begin = () => openUpload(context, isWorthCompressing(engine.roundTripMs), run);
	let upload = begin();
	let isTaken = false;
	const { url, service } = archiveUpload(() => {
		if (isTaken && context.once) return undefined;
		if (isTaken) upload = begin();
		isTaken = true;
		return upload.body;
	});
	return {
		directories: [],
		services: [service],
		attrs: { ...filename(context), context: url },
		upload: {
			get failure() {
				return upload.failure;
			},
			get durationMs() {
				return upload.durationMs;
			},
			get report() {
				return upload.report;
			},
		},
	};
}

function offerDirectory(
	context: LocalContext,
	{ request }: Pick<BuildPlan, "request">,
	{ index, sharedKey }: Announcement,
): MainOffer {
	const { contents, dockerfile } = context.dockerfileDirectory;
	const directory: SelectableDirectory = {
		async select(filter) {
			if (!isForRules(filter)) index?.transferring();
			await index?.ready;
			return context.directory.select(filter);
		},
	};
	return {
		directories: [
			["context", directory],
			["dockerfile", fileSet(contents)],
		],
		services: [],
		attrs: { filename: dockerfile },
		inputs: dockerfileInput(contents, dockerfile, request.buildArgs),
		names: { name: basename(context.root), sharedKey },
		totals: context.totals(),
	};
}

/**
 * The Dockerfile comes with the request: to be asked for it takes three round trips. A long one waits for that,
 * as does one for a frontend that takes nothing with the request, as far as is known.
 */
function dockerfileInput(
	contents: ReadonlyMap<string, Uint8Array>,
	dockerfile: string,
	buildArgs: BuildPlan["request"]["buildArgs"],
): SolveRequest["frontendInputs"] {
	const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 0);
	if (bytes > MOST_INPUT) return {};
	const text = new TextDecoder().decode(contents.get(dockerfile));
	if (!isKnownFrontend(frontendOf(text, buildArgs))) return {};
	const name = `[internal] load build definition from ${dockerfile}`;
	return { dockerfile: directoryDefinition(contents, name) };
}

function filename({ dockerfile }: BuildContext): { filename?: string } {
	return dockerfile === undefined ? {} : { filename: dockerfile };
}

function sum(one: UploadTotals = { files: 0, bytes: 0 }, other: UploadTotals): UploadTotals {
	return { files: one.files + other.files, bytes: one.bytes + other.bytes };
}

/** An archive as the context proper, beside named directories. */
function withArchive(sync: UploadReport, archive: UploadReport | undefined): UploadReport {
	if (archive === undefined) return sync;
	return {
		...sync,
		bytes: sync.bytes + archive.bytes,
		sentBytes: sync.sentBytes + archive.sentBytes,
		savedBytes: sync.savedBytes + archive.savedBytes,
	};
}
