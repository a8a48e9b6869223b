import type { LocalContext } from "../../context/build-context.js";
import type { Engine } from "../../engine/engine.js";
import type { Environment } from "../../environment.js";
import type { Run } from "../../events.js";
import type { BuildPlan } from "../plan/build-plan.js";
import type { SecretsCheck } from "../plan/options.js";
import { neededContext } from "./needed-context.js";
import { checkSecrets } from "./secrets-check.js";
import type { StoredImages } from "./stored-images.js";

/** A build that is about to be sent its context. */
interface Receiver {
	readonly plan: BuildPlan;
	readonly engine: Engine;
	readonly images: StoredImages;
}

/**
 * Tells of files that hold credentials, in as much of a context as these builds may send.
 *
 * @throws ContextError where they must not be sent; InterruptedError
 */
export async function checkSentSecrets(
	context: LocalContext,
	builds: readonly Receiver[],
	check: SecretsCheck,
	{ platform }: Environment,
	run: Run,
): Promise<void> {
	const { root, ignore, walked } = context;
	const sent = () => notedAndSent(context, builds);
	await checkSecrets({ root, ignore, walked, platform, sent }, check, run);
}

/** Of the paths that the walk of the context noted, those that may be sent. */
async function notedAndSent(
	context: LocalContext,
	builds: readonly Receiver[],
): Promise<readonly string[]> {
	const { noted } = await context.walked;
	const sent = new Set<string>();
	for (const { plan, engine, images } of builds) {
		if (plan.minimal === false && plan.transfer !== "sync") return noted;
		const { part, doubt, syncsAll } = await neededContext(context, plan, engine, images);
		const maySync = engine.facts.builder === "buildkit" && plan.transfer !== "tar";
		if (part === undefined || doubt !== undefined || (syncsAll && maySync)) return noted;
		for (const path of part.noted) sent.add(path);
	}
	return noted.filter((path) => sent.has(path));
}
