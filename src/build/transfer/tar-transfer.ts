import type { BuildContext } from "../../context/build-context.js";
import type { ContextPart } from "../../context/thread/directory-context.js";
import { type BuildRequest, buildImage } from "../../engine/build-request.js";
import type { Engine } from "../../engine/engine.js";
import type { Run } from "../../events.js";
import { NotedBuild } from "../context-index/noted-build.js";
import { explainRefusal, readBuildOutput } from "../output/build-output.js";
import { dockerfileText } from "../output/dockerfile-position.js";
import type { BuildPlan } from "../plan/build-plan.js";
import { baseImageAuths } from "../session/registry-logins.js";
import {
	type BuildIds,
	type BuildRun,
	buildAlone,
	buildInSession,
	whenAborted,
} from "../session/session-build.js";
import { knownTotals, openUpload, type Upload } from "../session/upload.js";
import { carrySecrets } from "./carried-secrets.js";
import { isFarBox } from "./far-box.js";
import type { SentBuild, Transfer, TransferResources } from "./transfer.js";

/** What is built, where, and of what. */
interface TarBuild {
	readonly engine: Engine;
	readonly context: BuildContext;
	/** Absent: all of the context. */
	readonly part: ContextPart | undefined;
	readonly plan: BuildPlan;
	/** What the tar begins with, apart from the context. */
	readonly before?: Uint8Array | undefined;
}

/** Sends the context, or no more than a part of it, as one tar, which every daemon takes. */
export function tarTransfer(resources: TransferResources, part?: ContextPart): Transfer {
	return {
		name: "tar",
		async send(engine, context, plan, run) {
			const noted = await noteBuild(engine, context, resources);
			const build = { engine, context, part, plan };
			const sent =
				engine.facts.builder === "buildkit"
					? await sendToBuildKit(build, resources, run)
					: await sendToClassic(build, resources, run);
			await noted?.succeeded();
			return sent;
		},
	};
}

/** Files are dated as those of a sync, by the same notes. */
async function noteBuild(
	engine: Engine,
	context: BuildContext,
	{ indexes: { main } }: TransferResources,
): Promise<NotedBuild | undefined> {
	if (context.kind !== "directory" || main === undefined) return undefined;
	const [{ notes }, { lookedAt }] = await Promise.all([main.places(engine), context.walked]);
	const noted = await NotedBuild.begin(notes, lookedAt, engine);
	context.memory.dateBy(noted.dating(true));
	return noted;
}

/** The session is there for what BuildKit takes from nowhere else: credentials, secrets, keys. */
async function sendToBuildKit(
	build: TarBuild,
	{ needs, services }: TransferResources,
	run: Run,
): Promise<SentBuild> {
	const { engine, plan } = build;
	const sendWith = (ids: BuildIds, run: BuildRun) => send(build, ids, run);
	const served = plan.secrets.ids.length > 0 || plan.agents.size > 0 || plan.exports.length > 0;
	if (!served && (await needs.areMet(plan.platform ?? engine.facts.platform))) {
		return buildAlone(engine, run, sendWith);
	}
	return buildInSession(engine, { services }, run, sendWith);
}

async function sendToClassic(
	build: TarBuild,
	{ credentials }: TransferResources,
	run: Run,
): Promise<SentBuild> {
	const { engine, context, plan } = build;
	const registryAuths = await baseImageAuths(context.dockerfileContent, plan.request, credentials);
	// Podman hears that its client is gone, but not before the running step has ended.
	const warn = () => {
		if (engine.facts.product !== "podman") return;
		const message = "podman finishes the step that is running before it stops the build";
		run.emit({ type: "warning", message });
	};
	const classicRun = { ...run, sending: run.signal };
	const secrets = await carrySecrets(plan.secrets, run.signal);
	const forBuilder = { registryAuths, secretFiles: secrets?.paths };
	const carrying = { ...build, before: secrets?.tar };
	return whenAborted(run.signal, warn, () => send(carrying, forBuilder, classicRun));
}

async function send(
	{ engine, context, part, plan, before }: TarBuild,
	forBuilder: Pick<BuildRequest, "buildId" | "sessionId" | "registryAuths" | "secretFiles">,
	run: BuildRun,
): Promise<SentBuild> {
	const sent = context.kind === "remote" ? undefined : (part ?? context);
	const bytes = sent && knownTotals(sent)?.bytes;
	const upload = sent && openUpload(sent, await isFarBox(engine, bytes, run.sending), run, before);
	const dockerfile = dockerfileText(context, plan.request);
	const request: BuildRequest = {
		...plan.request,
		...forBuilder,
		dockerfile: context.dockerfile,
		context:
			context.kind === "remote"
				? { kind: "remote", url: context.url }
				: {
						kind: "tar",
						tar: (upload as Upload).body,
						...(context.kind === "directory" && { hidden: context.hiddenFiles() }),
					},
	};
	try {
		const output = buildImage(engine, request, run.signal);
		const stopSending = () => upload?.body.destroy();
		const { imageId } = await whenAborted(run.sending, stopSending, () =>
			readBuildOutput(output, dockerfile, run, plan),
		);
		const image = imageId === undefined ? undefined : { id: imageId, tags: plan.tags };
		return { image, uploadMs: upload?.durationMs ?? 0, upload: upload?.report };
	} catch (error) {
		// A context that cannot be read to its end breaks the request; the reason is the first of the two.
		throw upload?.failure ?? explainRefusal(error, dockerfile);
	}
}
