import type { Engine } from "../engine/engine.js";
import { BuildFailedError } from "../errors.js";
import type { Run } from "../events.js";
import { NOWHERE, placeOf } from "./output/build-output.js";
import type { PlacedBuild } from "./placed-build.js";
import type { RunResources } from "./run-resources.js";

/** What it may take to find a line, in milliseconds: the user waits to hear that the build has failed. */
const PATIENCE_MS = 5_000;

/**
 * What a frontend has against a Dockerfile, with the line that it is about: the answer to POST /build leaves
 * that out, the frontend tells it when asked to check the Dockerfile (Docker 27).
 *
 * @returns any other error, and one whose line cannot be found out, as it is
 */
export async function withLine(
	error: unknown,
	engine: Engine,
	build: PlacedBuild,
	resources: RunResources,
	{ signal }: Run,
): Promise<unknown> {
	if (!(error instanceof BuildFailedError) || !mayBeOfLine(error)) return error;
	if (build.context.dockerfileContent === undefined) return error;
	const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
	// The build has told its news.
	const run: Run = { emit: () => {}, signal: patience };
	try {
		const { askFrontend } = await import("./frontend-answer.js");
		const { failure } = await askFrontend("check", build, engine, resources, run);
		return failure !== undefined && isSame(failure, error) ? failure : error;
	} catch {
		return error;
	}
}

/** What there is a hint for is known for something else. */
function mayBeOfLine({ message, hint }: BuildFailedError): boolean {
	return message.startsWith(NOWHERE) && hint === undefined;
}

/** A check may come upon something else: it looks at all stages where no target is named. */
function isSame(located: BuildFailedError, error: BuildFailedError): boolean {
	const { position, message } = located;
	const words = error.message.slice(NOWHERE.length);
	return position !== undefined && message === `${placeOf(position)}${words}`;
}
