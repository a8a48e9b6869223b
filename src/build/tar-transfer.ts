import { randomBytes } from "node:crypto";
import { authService } from "../buildkit/auth.js";
import { openSession } from "../buildkit/session.js";
import type { BuildContext } from "../context/build-context.js";
import { type BuildRequest, buildImage, cancelBuild } from "../engine/build-request.js";
import type { Engine } from "../engine/engine.js";
import type { Run } from "../events.js";
import type { BuiltImage } from "../image/delivery.js";
import type { CredentialSource } from "../image/registry-credentials.js";
import { explainRefusal, readBuildOutput } from "./build-output.js";
import type { BuildPlan } from "./build-plan.js";
import { baseImageAuths, findLogin } from "./registry-logins.js";
import type { SentBuild, Transfer } from "./transfer.js";
import { openUpload, type Upload } from "./upload.js";

/** How long the daemon may take to hear that a build is not wanted any more, in milliseconds. */
const CANCEL_TIMEOUT = 2_000;

/** Sends the whole context as one tar, which every daemon takes. */
export function tarTransfer(credentials: CredentialSource): Transfer {
	return {
		send: (engine, context, plan, run) =>
			engine.facts.builder === "buildkit"
				? sendToBuildKit(engine, context, plan, credentials, run)
				: sendToClassic(engine, context, plan, credentials, run),
	};
}

/** The session is there for the registry credentials: BuildKit takes them from nowhere else. */
async function sendToBuildKit(
	engine: Engine,
	context: BuildContext,
	plan: BuildPlan,
	credentials: CredentialSource,
	run: Run,
): Promise<SentBuild> {
	const services = [authService(findLogin(credentials))];
	await using session = await openSession(engine, { services }, run);
	const buildId = randomBytes(16).toString("hex");
	const cancel = () => {
		cancelBuild(engine, buildId, AbortSignal.timeout(CANCEL_TIMEOUT)).catch(() => {});
	};
	// Without the await, the session would be closed before the build has begun.
	return await whenAborted(run.signal, cancel, () =>
		send(engine, context, plan, { buildId, sessionId: session.id }, run),
	);
}

async function sendToClassic(
	engine: Engine,
	context: BuildContext,
	plan: BuildPlan,
	credentials: CredentialSource,
	run: Run,
): Promise<SentBuild> {
	const registryAuths = await baseImageAuths(
		context.dockerfileContent,
		plan.request.buildArgs ?? {},
		credentials,
	);
	// Podman hears that its client is gone, but not before the running step has ended.
	const warn = () => {
		if (engine.facts.product !== "podman") return;
		const message = "podman finishes the step that is running before it stops the build";
		run.emit({ type: "warning", message });
	};
	return whenAborted(run.signal, warn, () => send(engine, context, plan, { registryAuths }, run));
}

/** Does something if the signal is aborted before the work has ended. */
async function whenAborted<Result>(
	signal: AbortSignal,
	action: () => void,
	work: () => Promise<Result>,
): Promise<Result> {
	signal.addEventListener("abort", action, { once: true });
	try {
		return await work();
	} finally {
		signal.removeEventListener("abort", action);
	}
}

async function send(
	engine: Engine,
	context: BuildContext,
	plan: BuildPlan,
	forBuilder: Pick<BuildRequest, "buildId" | "sessionId" | "registryAuths">,
	run: Run,
): Promise<SentBuild> {
	const upload = context.kind === "remote" ? undefined : openUpload(context, engine, run);
	const dockerfile = dockerfileText(context);
	const request: BuildRequest = {
		...plan.request,
		...forBuilder,
		dockerfile: context.dockerfile,
		context:
			context.kind === "remote"
				? { kind: "remote", url: context.url }
				: { kind: "tar", tar: (upload as Upload).body },
	};
	try {
		const output = buildImage(engine, request, run.signal);
		const { imageId } = await readBuildOutput(output, dockerfile, run);
		return { image: builtImage(imageId, plan), uploadMs: upload?.durationMs ?? 0 };
	} catch (error) {
		// A context that cannot be read to its end breaks the request; the reason is the first of the two.
		throw upload?.failure ?? explainRefusal(error, dockerfile);
	}
}

function dockerfileText({ dockerfileName, dockerfileContent }: BuildContext) {
	if (dockerfileContent === undefined) return undefined;
	return { displayName: dockerfileName, content: dockerfileContent };
}

function builtImage(id: string, { tags }: BuildPlan): BuiltImage {
	return { id, tags };
}
