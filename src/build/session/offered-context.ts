import { fileSyncService } from "../../buildkit/file-sync/file-sync.js";
import type { SessionOptions } from "../../buildkit/session.js";
import type { BuildContext } from "../../context/build-context.js";
import { isWorthCompressing } from "../../context/content/compression-level.js";
import { isForRules } from "../../context/entries/context-filter.js";
import type { PartTotals } from "../../context/entries/part-of-context.js";
import type { RbuildError } from "../../errors.js";
import type { Run, UploadReport } from "../../events.js";
import { type AnnouncedBuild, type AnnouncedDirectory, announcedBy } from "./announcement.js";
import {
	frontendWithInputs,
	frontendWithoutInputs,
	type OfferedFrontend,
} from "./offered-frontend.js";
import { MAIN, type MainOffer, offerMain } from "./offered-main.js";
import { SyncUpload } from "./sync-upload.js";

/** The contexts of a build as BuildKit gets them: what it is told of them, and what it then asks for. */
interface OfferedContext {
	readonly session: Pick<SessionOptions, "name" | "sharedKey" | "services">;
	/** How the Dockerfile frontend finds them, in that session. */
	readonly frontend: (sessionId: string) => OfferedFrontend;
	/** The same for one that takes nothing with the request. */
	readonly plainFrontend: OfferedFrontend;
	readonly upload: OfferedUpload;
}

interface OfferedUpload {
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

export function offerContext(build: AnnouncedBuild, run: Run): OfferedContext {
	const { engine, context, plan, announcement } = build;
	const { named } = announcement;
	const main = offerMain(build, run);
	const directories = new Map([
		...main.directories,
		...named.map((one) => [one.localName, announcedBy(one.index, one.directory)] as const),
	]);
	const indexes = new Map(named.map(({ localName, index }) => [localName, index]));
	if (context.kind === "directory") indexes.set(MAIN, announcement.index);
	const totals = [main.totals, ...named.map((one) => one.totals)].reduce(sum);
	const sync = new SyncUpload(totals, run, contextNames(context, named));
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
	const contexts = { main, namedContexts: plan.buildkit.namedContexts, named };
	return {
		session: { ...main.names, services: [files, ...main.services] },
		frontend: (sessionId) => frontendWithInputs(contexts, sessionId),
		plainFrontend: frontendWithoutInputs(contexts),
		upload: offeredUpload({ archive: main.upload, sync, isSynced: directories.size > 0 }),
	};
}

/** What goes as an archive and what is synced, told of as one. */
function offeredUpload({
	archive,
	sync,
	isSynced,
}: {
	readonly archive: MainOffer["upload"];
	readonly sync: SyncUpload;
	readonly isSynced: boolean;
}): OfferedUpload {
	return {
		get failure() {
			return archive?.failure ?? sync.failure;
		},
		failed: sync.failed,
		get durationMs() {
			return Math.max(archive?.durationMs ?? 0, sync.durationMs);
		},
		get report() {
			return isSynced ? withArchive(sync.report, archive?.report) : archive?.report;
		},
		end() {
			if (isSynced) sync.end();
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

function sum(one: PartTotals, other: PartTotals): PartTotals {
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
