import { basename } from "node:path";
import type { SolveRequest } from "../../buildkit/control.js";
import { directoryDefinition } from "../../buildkit/directory-definition.js";
import type { SessionOptions } from "../../buildkit/session.js";
import type { SessionService } from "../../buildkit/session-service.js";
import { archiveUpload } from "../../buildkit/upload.js";
import type { BuildContext, LocalContext } from "../../context/build-context.js";
import { isWorthCompressing } from "../../context/content/compression-level.js";
import type { SelectableDirectory } from "../../context/entries/context-selection.js";
import type { PartTotals } from "../../context/entries/part-of-context.js";
import { fileSet } from "../../context/file-set.js";
import type { Engine } from "../../engine/engine.js";
import type { RbuildError } from "../../errors.js";
import type { Run, UploadReport } from "../../events.js";
import { frontendOf, isKnownFrontend } from "../../survey/dockerfile/frontends.js";
import type { BuildPlan } from "../plan/build-plan.js";
import { type AnnouncedBuild, announcedBy } from "./announcement.js";
import { openUpload } from "./upload.js";

/** Bytes that come with a request, unasked: as much as goes out before TCP waits for an answer (RFC 6928). */
const MOST_INPUT = 14_000;

const NONE: PartTotals = { files: 0, bytes: 0 };

/** The name under which the daemon asks for the build context. */
export const MAIN = "context";

/** The context proper in one of its three forms. */
export interface MainOffer {
	readonly directories: readonly (readonly [string, SelectableDirectory])[];
	readonly services: readonly SessionService[];
	readonly attrs: Readonly<Record<string, string>>;
	readonly inputs?: SolveRequest["frontendInputs"];
	readonly names?: Pick<SessionOptions, "name" | "sharedKey">;
	readonly totals: PartTotals;
	readonly upload?: MainUpload;
}

/** Of an archive. */
interface MainUpload {
	/** Why this side could not go on. */
	readonly failure: RbuildError | undefined;
	readonly durationMs: number;
	readonly report: UploadReport;
}

export function offerMain(build: AnnouncedBuild, run: Run): MainOffer {
	const { context } = build;
	switch (context.kind) {
		case "directory":
			return offerDirectory(context, build);
		case "archive":
			return offerArchive(context, build.engine, run);
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

function offerDirectory(
	context: LocalContext,
	{ plan: { request }, announcement: { index, sharedKey } }: AnnouncedBuild,
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
