import { hashesFile } from "../cache-folder.js";
import type { LocalContext } from "../context/build-context.js";
import type { Engine } from "../engine/engine.js";
import type { Environment } from "../environment.js";
import type { ContextAdvice, DryRunReport, DryRunTransfer, Run } from "../events.js";
import { registryCredentials } from "../image/credentials/registry-credentials.js";
import { openSurvey } from "../survey/open-survey.js";
import { formatTarget } from "../target/parse-target.js";
import { expectedUpload } from "./expected-upload.js";
import { checkSentSecrets } from "./inputs/sent-secrets.js";
import { type OpenRun, withOpenRun } from "./open-build.js";
import type { BuildPlan } from "./plan/build-plan.js";
import { requireBuilder, requireNative } from "./plan/builder-needs.js";
import type { BuildOptions } from "./plan/options.js";
import { awaitContext, type Surroundings } from "./planned-run.js";
import { sessionServices } from "./session/session-services.js";
import { chooseTransfer } from "./transfer/choose-transfer.js";

/** More is to be had from `rbuild context`. */
const MOST_ADVICE = 3;

/**
 * Finds out what a build would do, and changes nothing, neither here nor on the box. Where the box cannot
 * be asked, or cannot do the build, the event "dry-run" has what is known on this side.
 *
 * @throws RbuildError, what the build itself would fail with before anything is sent
 */
export function dryRun(
	options: BuildOptions,
	surroundings: Surroundings,
	caller: Run,
): Promise<DryRunReport> {
	return withOpenRun(options, surroundings, caller, async (open) => {
		const { plan, context, box, run } = open;
		const connecting = Promise.allSettled([box.open()]);
		await awaitContext(context, run);
		const local = await localPart(open, options, surroundings);
		const [connected] = await connecting;
		// Of several boxes, it may be another one by now.
		const { target, chosenBy } = box.chosen;
		let report: DryRunReport = { target: formatTarget(target), chosenBy, ...local };
		try {
			if (connected.status === "rejected") throw connected.reason;
			const { facts, transport } = connected.value;
			const platform = plan.platform ?? facts.platform;
			report = { ...report, platform, box: { engine: facts, route: transport.route } };
			report = { ...report, transfer: await planTransfer(open, connected.value, surroundings) };
		} finally {
			if (!run.signal.aborted) run.emit({ type: "dry-run", report });
		}
		return report;
	});
}

/** What is known on this side. */
async function localPart(
	{ plan, context, run }: OpenRun,
	options: BuildOptions,
	{ environment }: Surroundings,
): Promise<Omit<DryRunReport, "target" | "chosenBy">> {
	return {
		tags: plan.tags,
		...(plan.platform === undefined ? {} : { platform: plan.platform }),
		source: context.source,
		contextKind: context.kind,
		dockerfile: context.dockerfileName,
		...(context.kind === "directory"
			? {
					context: await context.measureIgnored(),
					advice: await adviceFor(context, options.file, plan, environment, run),
				}
			: {}),
		deliveries: plannedDeliveries(plan),
	};
}

/** The first of what `rbuild context` would say. */
async function adviceFor(
	{ root, dockerfileContent }: LocalContext,
	file: string | undefined,
	{ request }: BuildPlan,
	environment: Environment,
	{ signal }: Run,
): Promise<readonly ContextAdvice[]> {
	const { platform, workingDirectory } = environment;
	await using survey = await openSurvey(
		{
			...{ directory: root, file },
			// It was read already, and cannot be read again.
			readStdin: async () => dockerfileContent,
			...{ workingDirectory, platform, target: request.target, buildArgs: request.buildArgs ?? {} },
			...{ limits: {}, linkBitsPerSecond: undefined, judged: true, compareWith: undefined },
			hashesFileOf: (root) => hashesFile(root, environment),
			onProgress: () => {},
		},
		signal,
	);
	const { advice } = await survey.head;
	return advice.slice(0, MOST_ADVICE).map(({ text, files, bytes }) => ({ text, files, bytes }));
}

function plannedDeliveries({ tags, deliveries, exports }: BuildPlan): DryRunReport["deliveries"] {
	const { push, saves, load } = deliveries;
	const place = (path: string) => (path === "-" ? "the standard output" : path);
	return [
		...exports.map(({ destination }) => ({
			method: "export" as const,
			destination: destination.kind === "stdout" ? place("-") : destination.path,
		})),
		...(push ? tags.map((tag) => ({ method: "push" as const, destination: tag })) : []),
		...saves.map((save) => ({ method: "save" as const, destination: place(save.path) })),
		...(load ? [{ method: "load" as const, destination: "the local daemon" }] : []),
	];
}

/** @throws EngineError, UsageError where the box cannot do this build; what its index is asked for with */
async function planTransfer(
	open: OpenRun,
	engine: Engine,
	{ environment }: Surroundings,
): Promise<DryRunTransfer> {
	const { plan, context, named, needs, images, indexes, run } = open;
	requireNative(plan, engine);
	await requireBuilder(plan, engine, context, run.signal);
	if (context.kind === "directory") {
		const receivers = [{ plan, engine, images }];
		await checkSentSecrets(context, receivers, plan.secretsCheck, environment, run);
	}
	const credentials = registryCredentials(environment, run);
	const services = sessionServices(plan, credentials, environment);
	const resources = { credentials, needs, images, named, indexes, environment, services };
	const chosen = await chooseTransfer(plan, engine, context, resources);
	const upload = await expectedUpload(chosen, open, engine);
	return {
		transfer: chosen.transfer.name,
		reason: chosen.reason,
		...(upload === undefined ? {} : { upload }),
	};
}
