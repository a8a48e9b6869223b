import type { BuildContext } from "../context/build-context.js";
import type { Engine } from "../engine/engine.js";
import { hasContainerdStore } from "../engine/image-store.js";
import { EngineError } from "../errors.js";
import type { BuildPlan } from "./build-plan.js";

/** Something that not every daemon can do. */
interface Need {
	/** As the user asked for it. */
	readonly flag: string;
	/** The first Docker whose own Dockerfile frontend can do it; absent: 20.10. */
	readonly since?: number;
	readonly containerdStore?: boolean;
}

/** The first flag that takes BuildKit's Solve, as POST /build cannot be asked for it. */
export function needsSolve(plan: BuildPlan): string | undefined {
	return needsOf(plan)[0]?.flag;
}

/**
 * Refuses what a daemon cannot do before anything is uploaded for it.
 *
 * @throws EngineError; and as Engine.json
 */
export async function requireBuilder(
	plan: BuildPlan,
	engine: Engine,
	context: BuildContext,
	signal: AbortSignal,
): Promise<void> {
	const needs = needsOf(plan);
	const [first] = needs;
	if (first === undefined) return;
	const { facts, transport } = engine;
	if (facts.builder !== "buildkit") {
		throw new EngineError(`${transport.target} has no BuildKit, which ${first.flag} needs`, {
			hint:
				facts.product === "podman"
					? "build on a box with Docker, or leave the flag out"
					: "turn BuildKit on in that daemon's daemon.json, or leave the flag out",
		});
	}
	const tooNew = needs.find(({ since = 0 }) => majorVersion(facts.version) < since);
	if (tooNew !== undefined && !namesFrontend(context)) {
		throw new EngineError(
			`${transport.target} is Docker ${facts.version}, and ${tooNew.flag} came with ${tooNew.since}.0`,
			{ hint: "upgrade Docker there, or leave the flag out" },
		);
	}
	const ofContainerd = needs.find(({ containerdStore = false }) => containerdStore);
	if (ofContainerd !== undefined && !(await hasContainerdStore(engine, signal))) {
		throw new EngineError(
			`${transport.target} lacks the containerd image store, which ${ofContainerd.flag} needs`,
			{
				hint: 'turn it on in that daemon\'s daemon.json: "features": {"containerd-snapshotter": true}',
			},
		);
	}
}

function needsOf({ buildkit, call }: BuildPlan): readonly Need[] {
	const needs: Need[] = [];
	if (call !== undefined) {
		needs.push({ flag: `--call ${call}`, since: call === "check" ? 27 : 24 });
	}
	if (buildkit.namedContexts.size > 0) needs.push({ flag: "--build-context", since: 23 });
	if (buildkit.noCacheStages.length > 0) needs.push({ flag: "--no-cache-filter" });
	for (const { type, attrs } of buildkit.cacheImports) {
		const isImage = type === "registry" && Object.keys(attrs).join() === "ref";
		if (isImage) continue;
		needs.push({ flag: `--cache-from type=${type}`, containerdStore: type !== "registry" });
	}
	for (const { type } of buildkit.cacheExports) {
		needs.push({ flag: `--cache-to type=${type}`, containerdStore: type !== "inline" });
	}
	if (Object.keys(buildkit.annotations).length > 0) {
		needs.push({ flag: "--annotation", containerdStore: true });
	}
	for (const type of Object.keys(buildkit.attestations)) {
		needs.push({ flag: `--${type}`, containerdStore: true });
	}
	if (buildkit.entitlements.length > 0) needs.push({ flag: "--allow" });
	return needs;
}

/** A daemon that says something else than a number is one that somebody built from a branch. */
function majorVersion(version: string): number {
	const major = Number.parseInt(version, 10);
	return Number.isNaN(major) ? Number.POSITIVE_INFINITY : major;
}

/** Another frontend than the daemon's may know more, and refuses what it does not know. */
function namesFrontend({ dockerfileContent }: BuildContext): boolean {
	if (dockerfileContent === undefined) return false;
	return /^(?:\s*#.*\n)*\s*#\s*syntax\s*=/i.test(new TextDecoder().decode(dockerfileContent));
}
