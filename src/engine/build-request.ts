import type { Readable } from "node:stream";
import type { Engine, EngineRequest } from "./engine.js";
import { readJsonLines } from "./json-lines.js";
import { type RegistryAuth, registryConfigHeader } from "./registry-auth.js";

/** A resource limit of the build's processes, as POST /build takes it. */
export interface Ulimit {
	/** As in `docker build --ulimit`, such as "nofile". */
	readonly name: string;
	readonly soft: number;
	readonly hard: number;
}

/** What BuildKit makes of a build, other than an image in the daemon's store. */
export interface Exporter {
	/** Docker has "tar" and "local"; with the containerd image store also "oci" and "docker". */
	readonly type: string;
	readonly attrs: Readonly<Record<string, string>>;
}

/** What to build and how, for either builder. Fields are those of POST /build (API 1.40). */
export interface BuildRequest {
	readonly tags?: readonly string[];
	/** Path within the context, with "/"; "Dockerfile" when absent. */
	readonly dockerfile?: string | undefined;
	/** The stage to stop at. */
	readonly target?: string | undefined;
	/** null: named but without a value, so that the builder can warn that it is not used. */
	readonly buildArgs?: Readonly<Record<string, string | null>>;
	readonly labels?: Readonly<Record<string, string>>;
	/** An OCI platform; absent: the daemon's own. */
	readonly platform?: string | undefined;
	readonly noCache?: boolean | undefined;
	/** Look for newer base images even when there are local ones. */
	readonly pull?: boolean | undefined;
	readonly networkMode?: string | undefined;
	/** "host:address" each. */
	readonly extraHosts?: readonly string[];
	/** Bytes. */
	readonly shmSize?: number | undefined;
	readonly ulimits?: readonly Ulimit[];
	readonly cgroupParent?: string | undefined;
	readonly cacheFrom?: readonly string[];
	/** BuildKit only, and one at most; none: an image in the daemon's store (API 1.40). */
	readonly exporters?: readonly Exporter[];
	/** Names the build for cancelBuild(). */
	readonly buildId?: string | undefined;
	/** The BuildKit session that serves this build. */
	readonly sessionId?: string | undefined;
	/** Credentials by registry host name, for the classic builder; BuildKit asks the session. */
	readonly registryAuths?: Readonly<Record<string, RegistryAuth>>;
	/** For Podman, from 4.0 on, by their ids without commas: the files of the tar that it takes for secrets, and out of it. */
	readonly secretFiles?: ReadonlyMap<string, string> | undefined;
	readonly context: BuildInput;
}

/** What the daemon builds from: a tar stream, which may be compressed with gzip; or a git or http URL for it to fetch. */
type BuildInput =
	| {
			readonly kind: "tar";
			readonly tar: Readable;
			/** What builders are not to copy of it; absent: what an ignore file in it says. */
			readonly hidden?: readonly string[];
	  }
	| { readonly kind: "remote"; readonly url: string };

/**
 * Builds on the engine's own builder (EngineFacts.builder), over a connection of its own: leaving
 * the loop early, or aborting, closes it, and Docker stops the build at once, with the process of
 * the step that runs. Podman 5.8 lets that step run to its end (seen with curl as well).
 *
 * @returns the daemon's progress lines, BuildKit's traces or the classic builder's; a build that
 * fails is one with `errorDetail`
 * @throws EngineError when the daemon refuses the request; ConnectionError; InterruptedError
 */
export async function* buildImage(
	engine: Engine,
	build: BuildRequest,
	signal: AbortSignal,
): AsyncGenerator<unknown> {
	const { context, registryAuths = {} } = build;
	const classic = engine.facts.builder === "classic";
	const request: EngineRequest = {
		method: "POST",
		path: "/build",
		query: {
			...buildQuery(build, engine.facts.product),
			...(classic ? CLASSIC_BUILDER : BUILDKIT),
		},
		headers: {
			"Content-Type": "application/x-tar",
			...(classic && { "X-Registry-Config": registryConfigHeader(registryAuths) }),
		},
		signal,
	};
	const { body } = await engine.request(
		context.kind === "tar" ? { ...request, body: context.tar } : request,
	);
	yield* readJsonLines(body);
}

const BUILDKIT = { version: "2" };

/** Intermediate containers are removed after a failure too. */
const CLASSIC_BUILDER = { version: "1", rm: "1", forcerm: "1" };

function buildQuery(build: BuildRequest, product: string): NonNullable<EngineRequest["query"]> {
	return {
		t: build.tags,
		dockerfile: build.dockerfile,
		target: build.target,
		labels: json(build.labels),
		platform: build.platform,
		nocache: flag(build.noCache),
		pull: flag(build.pull),
		...(product === "podman" ? podmanSpelling(build) : dockerSpelling(build)),
		shmsize: build.shmSize?.toString(),
		cgroupparent: build.cgroupParent,
		outputs: json(build.exporters?.map(({ type, attrs }) => ({ Type: type, Attrs: attrs }))),
		buildid: build.buildId,
		session: build.sessionId,
		remote: build.context.kind === "remote" ? build.context.url : undefined,
	};
}

function dockerSpelling({ buildArgs, networkMode, cacheFrom, extraHosts, ulimits }: BuildRequest) {
	return {
		buildargs: json(buildArgs),
		networkmode: networkMode,
		cachefrom: json(cacheFrom),
		extrahosts: extraHosts,
		ulimits: json(ulimits?.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard }))),
	};
}

/** Podman's compat API reads lists as JSON of what its command line takes, and some else in its own way (5.8). */
function podmanSpelling(build: BuildRequest) {
	const { buildArgs = {}, cacheFrom, extraHosts, ulimits, secretFiles, context } = build;
	const given = Object.entries(buildArgs).filter(([, value]) => value !== null);
	return {
		// One without a value would be empty there, and not what its ARG says.
		buildargs: json(Object.fromEntries(given)),
		...podmanNetwork(build.networkMode),
		excludes: json(context.kind === "tar" ? podmanExcludes(context.hidden) : []),
		// Repositories only: it finds the tags by itself.
		cachefrom: json(cacheFrom?.map((image) => image.replace(/@.*$|:[^/:]*$/, ""))),
		extrahosts: json(extraHosts),
		ulimits: json(ulimits?.map(({ name, soft, hard }) => `${name}=${soft}:${hard}`)),
		secrets: json([...(secretFiles ?? [])].map(([id, path]) => `id=${id},src=${path}`)),
	};
}

/** As long as there is a pattern, it looks for no ignore file; this one leaves nothing out. */
function podmanExcludes(hidden: readonly string[] | undefined): readonly string[] {
	if (hidden === undefined) return [];
	return ["!Dockerfile", ...hidden.map(asPattern)];
}

/** The pattern that a path and nothing else fits. */
function asPattern(path: string): string {
	const plain = path.replace(/[*?[\]\\]|^!/g, "\\$&");
	return plain.replace(/^\s|\s$/g, "[$&]");
}

/** Whatever it does not know in "networkmode" is the network of the box for it, as is nothing. */
function podmanNetwork(mode = "default") {
	if (mode === "none") return { networkmode: "NetworkDisabled" };
	if (mode === "host") return { networkmode: mode };
	return { nsoptions: json([{ Name: "network", Host: false }]) };
}

/** Absent when empty, as docker's client does. */
function json(value: object | undefined): string | undefined {
	return value === undefined || Object.keys(value).length === 0 ? undefined : JSON.stringify(value);
}

function flag(value: boolean | undefined): string | undefined {
	return value === true ? "1" : undefined;
}

/**
 * Stops a build of BuildKit's by the id it was given (API 1.39). The classic builder takes no ids: it
 * stops when its connection is closed. Podman has no such route (404).
 */
export async function cancelBuild(
	engine: Engine,
	buildId: string,
	signal: AbortSignal,
): Promise<void> {
	const query = { id: buildId };
	const { body } = await engine.request({ method: "POST", path: "/build/cancel", query, signal });
	body.resume();
}
