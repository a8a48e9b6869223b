import { basename } from "node:path";
import type { SolveRequest } from "../buildkit/control.js";
import { directoryDefinition } from "../buildkit/directory-definition.js";
import { fileSyncService } from "../buildkit/file-sync/file-sync.js";
import { localDefinition } from "../buildkit/local-definition.js";
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
import type { AnnouncedDirectory, Announcement } from "./announcement.js";
import type { BuildPlan } from "./build-plan.js";
import type { ContextIndex } from "./context-index.js";
import { namedContextAttrs } from "./named-contexts.js";
import { SyncUpload } from "./sync-upload.js";
import { openUpload, type UploadTotals } from "./upload.js";

/** Bytes that come with a request, unasked: as much as goes out before TCP waits for an answer (RFC 6928). */
const MOST_INPUT = 14_000;

const NONE: UploadTotals = { files: 0, bytes: 0 };

/** The name under which the daemon asks for the build context. */
const MAIN = "context";

/** The contexts of a build as BuildKit gets them: what it is told of them, and what it then asks for. */
export interface OfferedContext {
	readonly session: Pick<SessionOptions, "name" | "sharedKey" | "services">;
	/** How the Dockerfile frontend finds them, in that session. */
	readonly frontend: (sessionId: string) => OfferedInputs;
	/** The same for one that takes nothing with the request. */
	readonly plainFrontend: OfferedInputs;
	readonly upload: OfferedUpload;
}

/** How a frontend finds contexts: what it is told, and what it need not ask for. */
export type OfferedInputs = Pick<SolveRequest, "frontendAttrs" | "frontendInputs">;

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

type OfferedPlan = Pick<BuildPlan, "request"> & {
	readonly buildkit: Pick<BuildPlan["buildkit"], "namedContexts">;
};

/** The context proper in one of its three forms. */
interface MainOffer {
	readonly directories: readonly (readonly [string, SelectableDirectory])[];
	readonly services: readonly SessionService[];
	readonly attrs: Readonly<Record<string, string>>;
	readonly inputs?: SolveRequest["frontendInputs"];
	readonly names?: Pick<SessionOptions, "name" | "sharedKey">;
	readonly totals: UploadTotals;
	readonly upload?: Pick<OfferedUpload, "failure" | "durationMs" | "report">;
}

export function offerContext(
	context: BuildContext,
	plan: OfferedPlan,
	announcement: Announcement,
	engine: Engine,
	run: Run,
): OfferedContext {
	const { named } = announcement;
	const main = offerMain(context, plan, announcement, engine, run);
	const directories = new Map([...main.directories, ...named.map(offerNamed)]);
	const indexes = new Map(named.map(({ localName, index }) => [localName, index]));
	if (context.kind === "directory") indexes.set(MAIN, announcement.index);
	const totals = [main.totals, ...named.map((one) => one.totals)].reduce(sum);
	const sync = new SyncUpload(totals, run, contextNames(context, named));
	// What was ignored is only for the report, so it waits until everything is sent.
	const measureIgnored = () => {
		if (context.kind === "directory") context.measureIgnored().catch(() => {});
	};
	const { namedContexts } = plan.buildkit;
	const attrs = (sourceOf: (one: AnnouncedDirectory) => string) => {
		const sources = new Map(named.map((one) => [one.name, sourceOf(one)]));
		return { ...main.attrs, ...namedContextAttrs(namedContexts, sources) };
	};
	const files = fileSyncService({
		directories,
		isFar: isWorthCompressing(engine.roundTripMs),
		compressStream: () => engine.transport.compress(),
		onTransfer(part) {
			const observer = sync.begin(part, measureIgnored);
			const index = indexes.get(part.directory);
			if (index === undefined || isForRules(part.filter)) return observer;
			const done = () => {
				observer.done();
				index.transferred();
				if (part.directory !== MAIN) announcement.index?.keep();
			};
			return { ...observer, done };
		},
	});
	return {
		session: { ...main.names, services: [files, ...main.services] },
		frontend: (sessionId) => ({
			frontendAttrs: attrs(({ jointPart, localName }) =>
				jointPart === undefined ? `local:${localName}` : `input:${localName}`,
			),
			frontendInputs: {
				...main.inputs,
				...Object.fromEntries(named.flatMap((one) => namedInput(one, sessionId))),
			},
		}),
		plainFrontend: {
			frontendAttrs: attrs(({ localName }) => `local:${localName}`),
			frontendInputs: {},
		},
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

/** By the names under which the daemon asks for them: how contexts are called. */
function contextNames(
	context: BuildContext,
	named: readonly AnnouncedDirectory[],
): ReadonlyMap<string, string | undefined> {
	const names = named.map(({ name, localName }) => [localName, name] as const);
	return new Map([...(context.kind === "directory" ? [[MAIN, undefined] as const] : []), ...names]);
}

function offerMain(
	context: BuildContext,
	plan: OfferedPlan,
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
			return { directories: [], services: [], attrs, totals: NONE };
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
		totals: NONE,
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

function offerNamed({ localName, directory, index }: AnnouncedDirectory) {
	return [localName, announcedBy(index, directory)] as const;
}

function namedInput({ name, localName, jointPart }: AnnouncedDirectory, sessionId: string) {
	if (jointPart === undefined) return [];
	const step = `[context ${name}] load from client`;
	return [[localName, localDefinition(sessionId, localName, jointPart, step)] as const];
}

/** Waits for the index before anything is announced. */
function announcedBy(
	index: ContextIndex | undefined,
	directory: SelectableDirectory,
): SelectableDirectory {
	if (index === undefined) return directory;
	return {
		async select(filter) {
			await index.ready;
			return directory.select(filter);
		},
	};
}

function offerDirectory(
	context: LocalContext,
	{ request }: OfferedPlan,
	{ index, sharedKey }: Announcement,
): MainOffer {
	const { contents, dockerfile } = context.dockerfileDirectory;
	return {
		directories: [
			[MAIN, announcedBy(index, context.directory)],
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

function sum(one: UploadTotals, other: UploadTotals): UploadTotals {
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
