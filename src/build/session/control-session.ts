import { Control, newBuildRef, type SolveRequest } from "../../buildkit/control.js";
import type { SessionService } from "../../buildkit/session-service.js";
import type { Run, UploadReport } from "../../events.js";
import { type DockerfileText, dockerfileText } from "../output/dockerfile-position.js";
import type { BuildPlan } from "../plan/build-plan.js";
import type { AnnouncedBuild } from "./announcement.js";
import { ClientLayouts } from "./client-layouts.js";
import { resolveHostGateway } from "./host-gateway.js";
import { offerContext } from "./offered-context.js";
import type { OfferedFrontend } from "./offered-frontend.js";
import { withSession } from "./session-build.js";
import { plannedSolve } from "./solve-request.js";

/** All that it takes to ask BuildKit for something. */
export interface PreparedSolve {
	readonly control: Control;
	readonly request: SolveRequest;
	readonly dockerfile: DockerfileText | undefined;
	readonly layouts: ClientLayouts;
	/** Also aborted when this side cannot go on. */
	readonly signal: AbortSignal;
}

/**
 * Opens BuildKit's Control API for some work, beside a session that serves what that is about.
 * @param services what the session has to serve beside the context
 */
export async function withControl<Result>(
	build: AnnouncedBuild,
	services: readonly SessionService[],
	run: Run,
	work: (given: PreparedSolve) => Promise<Result>,
): Promise<{
	readonly result: Result;
	readonly uploadMs: number;
	readonly upload: UploadReport | undefined;
}> {
	const { engine, context, plan } = build;
	const layouts = await ClientLayouts.open(plan.buildkit, run.emit);
	const { session, upload, frontend, plainFrontend } = offerContext(build, run);
	const all = { ...session, services: [...services, ...session.services, ...layouts.services] };
	try {
		const result = await withSession(engine, all, run, async (sessionId, { signal: wanted }) => {
			const signal = AbortSignal.any([wanted, upload.failed]);
			using control = await Control.open(engine, signal);
			const resolved = await resolveHostGateway(build, control, signal);
			const named = { ...resolved, buildkit: layouts.buildkit };
			const dockerfile = dockerfileText(context, plan.request);
			const ask = (of: OfferedFrontend) => {
				const request = plannedSolve(named, { ref: newBuildRef(), sessionId }, of);
				return work({ control, request, dockerfile, layouts, signal });
			};
			if (!mayHaveInputs(plan)) return await ask(plainFrontend);
			return await ask(frontend(sessionId)).catch((error: unknown) => {
				if (!isRefusalOfInputs(error)) throw error;
				return ask(plainFrontend);
			});
		});
		upload.end();
		return { result, uploadMs: upload.durationMs, upload: upload.report };
	} catch (error) {
		// The daemon only tells in its words what went wrong on this side.
		throw upload.failure ?? layouts.failure ?? error;
	}
}

/** Provenance tells of what the session was asked for. */
function mayHaveInputs({ buildkit }: BuildPlan): boolean {
	return Object.keys(buildkit.attestations).length === 0;
}

/** By an image of docker/dockerfile before 1.2, which takes nothing with a request (frontend/gateway). */
function isRefusalOfInputs(error: unknown): boolean {
	const message = error instanceof Error ? error.message : "";
	return message.includes("unsupported frontend capability moby.buildkit.frontend.inputs");
}
