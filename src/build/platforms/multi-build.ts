import { sizesFile } from "../../cache-folder.js";
import type { BuildContext } from "../../context/build-context.js";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import type { BuildReport, Run } from "../../events.js";
import { together } from "../../together.js";
import { chooseBoxes } from "../box/choose-box.js";
import { checkSentSecrets } from "../inputs/sent-secrets.js";
import { requireBuilder, requireNative } from "../plan/builder-needs.js";
import type { BuildOptions } from "../plan/options.js";
import {
	awaitContext,
	openContext,
	openNamedDirectories,
	type PlannedRun,
	type Surroundings,
	withPlannedRun,
} from "../planned-run.js";
import { runResources } from "../run-resources.js";
import { platformAnnotations } from "./annotations.js";
import { buildOnBox } from "./built-platform.js";
import { type PlatformBox, platformBoxes, type ReachedBox } from "./platform-boxes.js";
import { deliverPlatforms, platformToLoad } from "./platform-deliveries.js";
import { planFor, requireIndexable, warnOfCaches } from "./platform-plans.js";
import { writeReport } from "./platform-report.js";

/**
 * Builds for several platforms, each on a box that runs it natively, all at the same time, and makes one
 * image of them. Nothing gets a name, on a box, here or in a registry, before all of them are built.
 *
 * @param platforms OCI platforms, two at least
 * @throws RbuildError
 */
export function buildPlatforms(
	options: BuildOptions,
	platforms: readonly string[],
	surroundings: Surroundings,
	caller: Run,
): Promise<BuildReport> {
	const { platform: _all, ...others } = options;
	return withPlannedRun(others, surroundings, caller, async (planned) => {
		const { environment } = surroundings;
		const { plan, closing, stopwatch, run, failed } = planned;
		requireIndexable(plan, options.via);
		warnOfCaches(plan, run);
		const annotations = platformAnnotations(plan.buildkit.annotations);
		const plans = platforms.map((platform) => planFor(platform, plan, annotations));
		const wish = { platforms, allowEmulation: plan.allowEmulation };
		const chosen = await chooseBoxes(options, wish, environment, run, closing);
		const resources = runResources(surroundings, closing, run);
		const { load } = plan.deliveries;
		const toLoad = load ? await platformToLoad(platforms, resources, run) : undefined;
		const context = await openContext(options, planned, surroundings);
		requireRepeatable(context);
		const named = await openNamedDirectories(planned);
		const boxes = platformBoxes({ plans, chosen, context, named, environment, closing }, run);

		const reached = await reach(boxes, context, planned);
		await check(reached, context, planned, environment);
		const built = await stopwatch.time("build", () =>
			together(
				failed,
				reached.map((box) => buildOnBox(box, resources)),
			),
		);
		// In the order in which they were asked for, whichever box built them.
		const all = platforms.flatMap((name) =>
			built.flat().filter(({ platform }) => platform === name),
		);
		stopwatch.add("upload", Math.max(...all.map(({ uploadMs }) => uploadMs)));
		const delivered = await stopwatch.time("deliver", () =>
			deliverPlatforms(all, { annotations, toLoad, resources }, planned),
		);
		const report = writeReport(all, delivered, context, planned);
		run.emit({ type: "done", report });
		return report;
	});
}

/** @throws UsageError for a context that can be read only once */
function requireRepeatable(context: BuildContext): void {
	if (context.kind !== "archive" || !context.once) return;
	throw new UsageError("an archive on the standard input can be sent for one platform only", {
		hint: "unpack it, and name the directory",
	});
}

async function reach(
	boxes: readonly PlatformBox[],
	context: BuildContext,
	{ stopwatch, run, failed }: PlannedRun,
): Promise<readonly ReachedBox[]> {
	const connect = boxes.map(async (box) => ({ ...box, engine: await box.connection.open() }));
	const [reached] = await together(failed, [
		stopwatch.time("connect", () => together(failed, connect)),
		stopwatch.time("context", () => awaitContext(context, run)),
	]);
	return reached;
}

/** Whatever can be known before anything is sent to any of them. */
async function check(
	boxes: readonly ReachedBox[],
	context: BuildContext,
	{ plan, run }: PlannedRun,
	environment: Environment,
): Promise<void> {
	for (const { engine, builds } of boxes) {
		for (const { plan } of builds) {
			requireNative(plan, engine);
			await requireBuilder(plan, engine, context, run.signal);
		}
	}
	if (context.kind !== "directory") return;
	const builds = boxes.flatMap(({ engine, builds }) =>
		builds.map((build) => ({ ...build, engine })),
	);
	await checkSentSecrets(context, builds, plan.secretsCheck, environment, run);
	context.rememberSizes(sizesFile(context.root, environment));
}
