import type { BuildContext } from "../../context/build-context.js";
import type { Engine } from "../../engine/engine.js";
import { hasContainerdStore } from "../../engine/image-store.js";
import { runsNatively } from "../../engine/platforms.js";
import { EngineError } from "../../errors.js";
import { frontendOf } from "../../survey/dockerfile/frontends.js";
import type { BuilderKind } from "../../survey/dockerfile/scope.js";
import type { BuildPlan } from "./build-plan.js";

/** Something that not every daemon can do. */
interface Need {
	/** As the user asked for it. */
	readonly flag: string;
	/** The first Docker whose own Dockerfile frontend can do it; absent: 20.10. */
	readonly since?: number;
	readonly containerdStore?: boolean;
	/** What to do where that is not there; absent: have it. */
	readonly instead?: string;
	/** POST /build can be asked for it, too. */
	readonly plain?: boolean;
	/** Needed of the daemon whatever frontend is named. */
	readonly ofDaemon?: boolean;
	/** No Docker can do it; what it can. */
	readonly otherwise?: string;
	/** Builders other than BuildKit can do it, all of them. */
	readonly otherBuilders?: boolean;
}

/** The first flag that takes BuildKit's Solve, as POST /build cannot be asked for it. */
export function needsSolve(plan: BuildPlan, builder: BuilderKind = "buildkit"): string | undefined {
	return needsOf(plan, builder).find(({ plain = false }) => !plain)?.flag;
}

/** @throws EngineError for a platform that the daemon's machine could only emulate */
export function requireNative(
	{ platform, allowEmulation }: Pick<BuildPlan, "platform" | "allowEmulation">,
	{ facts, transport }: Engine,
): void {
	if (platform === undefined || allowEmulation || runsNatively(platform, facts.platform)) return;
	throw new EngineError(
		`${transport.target} is ${facts.platform} and cannot run ${platform} natively`,
		{ hint: `build on a ${platform} box, or add --allow-emulation to have it emulated, slowly` },
	);
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
	requireNetwork(plan, engine);
	requireFrontend(plan, engine);
	requireFetching(engine, context);
	const { facts, transport } = engine;
	const needs = needsOf(plan, facts.builder);
	const [first] = needs;
	if (first === undefined) return;
	if (facts.builder !== "buildkit") throw lacksBuildKit(engine, first.flag);
	const anyFrontend = hasFrontend(plan, context);
	const tooNew = needs.find(
		({ since = 0, ofDaemon = false }) =>
			majorVersion(facts.version) < since && (ofDaemon || !anyFrontend),
	);
	if (tooNew !== undefined) {
		throw new EngineError(
			`${transport.target} is Docker ${facts.version}, and ${tooNew.flag} came with ${tooNew.since}.0`,
			{ hint: "upgrade Docker there, or leave the flag out" },
		);
	}
	const ofNone = needs.find(({ otherwise }) => otherwise !== undefined);
	if (ofNone !== undefined) {
		throw new EngineError(
			`${transport.target} is Docker ${facts.version}, which does not support ${ofNone.flag}`,
			{ hint: ofNone.otherwise },
		);
	}
	const ofContainerd = needs.find(({ containerdStore = false }) => containerdStore);
	if (ofContainerd !== undefined && !(await hasContainerdStore(engine, signal))) {
		throw new EngineError(
			`${transport.target} lacks the containerd image store, which ${ofContainerd.flag} needs`,
			{
				hint:
					ofContainerd.instead ??
					'turn it on in that daemon\'s daemon.json: "features": {"containerd-snapshotter": true}',
			},
		);
	}
}

/** That a daemon's builder is another one. */
export function lacksBuildKit({ facts, transport }: Engine, flag: string): EngineError {
	return new EngineError(`${transport.target} has no BuildKit, which ${flag} needs`, {
		hint:
			facts.product === "podman"
				? "build on a box with Docker, or leave the flag out"
				: "turn BuildKit on in that daemon's daemon.json, or leave the flag out",
	});
}

const NETWORKS: readonly string[] = ["", "default", "none", "host"];
/** The same as "default", in its own words. */
const PODMAN_NETWORKS: readonly string[] = [...NETWORKS, "bridge", "private"];

/**
 * Docker's old builder knows every network of the daemon, BuildKit none of them (moby, builder-next), and Podman
 * none that a client names.
 */
function requireNetwork({ request }: BuildPlan, { facts, transport }: Engine): void {
	const { networkMode = "default" } = request;
	const isPodman = facts.product === "podman";
	if (facts.builder !== "buildkit" && !isPodman) return;
	if ((isPodman ? PODMAN_NETWORKS : NETWORKS).includes(networkMode)) return;
	const builder = isPodman ? "Podman" : "BuildKit";
	throw new EngineError(
		`${transport.target} builds with ${builder}, which does not support --network ${networkMode}`,
		{ hint: "use default, none or host" },
	);
}

/** It counts even where it is empty, and no frontend has such a name (BuildKit, frontend/dockerfile/builder). */
function requireFrontend({ request }: BuildPlan, { facts, transport }: Engine): void {
	if (facts.builder !== "buildkit" || frontendOf("", request.buildArgs) !== "") return;
	throw new EngineError(
		`the build argument BUILDKIT_SYNTAX is empty, which ${transport.target} takes for the name of a frontend`,
		{ hint: "give it the name of one, such as docker/dockerfile:1, or leave it out" },
	);
}

/** Its API takes the URL and looks for the Dockerfile in an empty folder (5.8). */
function requireFetching({ facts, transport }: Engine, context: BuildContext): void {
	if (facts.product !== "podman" || context.kind !== "remote") return;
	throw new EngineError(`${transport.target} is Podman, which cannot fetch a build context`, {
		hint: "fetch it to a folder here, and build that",
	});
}

const SAVE =
	"--save FILE gives the image as docker load takes it, from Docker 25 on also as an OCI archive";

/** Of all that BuildKit has, what is in the daemon (moby, builder-next/controller.go, 24 to 29). */
const CACHES: readonly string[] = ["registry", "local", "inline", "gha"];
const OTHER_CACHES = `Docker keeps caches of type ${CACHES.join(", ")}; others take a BuildKit of their own`;

function cacheNeed(flag: string, type: string, containerdStore: boolean): Need {
	const known = CACHES.includes(type);
	return {
		flag: `${flag} type=${type}`,
		containerdStore,
		...(known ? {} : { otherwise: OTHER_CACHES }),
	};
}

function needsOf(plan: BuildPlan, builder: BuilderKind): readonly Need[] {
	const needs = [...needsOfOutputs(plan), ...needsOfBuildKit(plan), ...needsOfSteps(plan)];
	return needs.filter(({ otherBuilders = false }) => builder === "buildkit" || !otherBuilders);
}

/** Before 23.0, BuildKit takes these and does nothing about them; POST /build does not hand on all of them. */
function needsOfSteps({ request }: BuildPlan): readonly Need[] {
	const { cgroupParent, shmSize, ulimits = [] } = request;
	const ofSteps = { since: 23, ofDaemon: true, otherBuilders: true };
	return [
		...(cgroupParent ? [{ flag: "--cgroup-parent", ...ofSteps }] : []),
		...(shmSize === undefined ? [] : [{ flag: "--shm-size", plain: true, ...ofSteps }]),
		...(ulimits.length === 0 ? [] : [{ flag: "--ulimit", plain: true, ...ofSteps }]),
	];
}

function needsOfOutputs({ exports, image, imageAttrs }: BuildPlan): readonly Need[] {
	const needs: Need[] = [];
	for (const { output, exporter } of exports) {
		const flag = `--output type=${output}`;
		const store = exporter.type === "oci" ? { containerdStore: true, instead: SAVE } : {};
		needs.push({ flag, ...store, plain: true });
	}
	if (exports.length === 0 && !image) needs.push({ flag: "--output type=cacheonly" });
	for (const name of Object.keys(imageAttrs)) {
		needs.push({ flag: `--output type=image,${name}`, containerdStore: true });
	}
	// BuildKit 0.13.
	if (exports.length > (image ? 0 : 1)) {
		needs.push({ flag: "more than one output", since: 26, ofDaemon: true });
	}
	return needs;
}

function needsOfBuildKit({ buildkit, call }: BuildPlan): readonly Need[] {
	const needs: Need[] = [];
	if (call !== undefined) {
		needs.push({ flag: `--call ${call}`, since: call === "check" ? 27 : 24 });
	}
	if (buildkit.namedContexts.size > 0) needs.push({ flag: "--build-context", since: 23 });
	if ([...buildkit.namedContexts.values()].some(({ kind }) => kind === "layout")) {
		needs.push({ flag: "--build-context oci-layout://", containerdStore: true });
	}
	if (buildkit.noCacheStages.length > 0) needs.push({ flag: "--no-cache-filter" });
	for (const { type, attrs } of buildkit.cacheImports) {
		const isImage = type === "registry" && Object.keys(attrs).join() === "ref";
		if (isImage) continue;
		needs.push(cacheNeed("--cache-from", type, type !== "registry" && type !== "local"));
	}
	for (const { type } of buildkit.cacheExports) {
		needs.push(cacheNeed("--cache-to", type, type !== "inline"));
	}
	if (Object.keys(buildkit.annotations).length > 0) {
		needs.push({ flag: "--annotation", containerdStore: true });
	}
	for (const type of Object.keys(buildkit.attestations)) {
		// Which of the two was written is not kept.
		needs.push({ flag: `--${type} (--attest type=${type})`, containerdStore: true });
	}
	if (buildkit.entitlements.length > 0) needs.push({ flag: "--allow" });
	return needs;
}

/** A daemon that says something else than a number is one that somebody built from a branch. */
export function majorVersion(version: string): number {
	const major = Number.parseInt(version, 10);
	return Number.isNaN(major) ? Number.POSITIVE_INFINITY : major;
}

/** Another frontend than the daemon's may know more, and refuses what it does not know. */
function hasFrontend({ request }: BuildPlan, { dockerfileContent }: BuildContext): boolean {
	const dockerfile = new TextDecoder().decode(dockerfileContent);
	return frontendOf(dockerfile, request.buildArgs) !== undefined;
}
