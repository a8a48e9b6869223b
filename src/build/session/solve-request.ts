import type { SolveRequest, TypedAttrs } from "../../buildkit/control.js";
import type { Ulimit } from "../../engine/build-request.js";
import type { BuildPlan } from "../plan/build-plan.js";
import { parseBoolean } from "../plan/go-values.js";

/** What a plan comes to in the words of BuildKit's Dockerfile frontend, as docker/buildx says it. */
export function plannedSolve(
	plan: BuildPlan,
	{ ref, sessionId }: Pick<SolveRequest, "ref" | "sessionId">,
	context: Pick<SolveRequest, "frontendAttrs" | "frontendInputs">,
): SolveRequest {
	const { cacheImports, entitlements } = plan.buildkit;
	const ofNetwork = plan.request.networkMode === "host" ? ["network.host"] : [];
	return {
		ref,
		sessionId,
		frontendAttrs: { ...frontendAttrs(plan), ...context.frontendAttrs },
		frontendInputs: context.frontendInputs,
		exporters: exporters(plan),
		cacheImports,
		cacheExports: cacheExports(plan),
		entitlements: [...new Set([...entitlements, ...ofNetwork])],
	};
}

/** In the order in which the daemon numbers them. */
function exporters({
	exports,
	image,
	imageAttrs,
	tags,
	buildkit,
}: BuildPlan): readonly TypedAttrs[] {
	const { annotations } = buildkit;
	const exported = exports.map(({ exporter: { type, attrs } }) => ({
		type,
		attrs: { ...attrs, ...annotations },
	}));
	if (!image) return exported;
	// Docker's own manifests, which the daemon makes else, have no annotations: it would leave them out.
	const types = Object.keys(annotations).length > 0 ? { "oci-mediatypes": "true" } : {};
	return [...exported, imageExporter(tags, { ...types, ...imageAttrs, ...annotations })];
}

/** The daemon's own image store, whichever it has. */
function imageExporter(
	tags: readonly string[],
	attrs: Readonly<Record<string, string>>,
): TypedAttrs {
	const name = tags.length === 0 ? {} : { name: tags.join(",") };
	return { type: "moby", attrs: { ...name, ...attrs } };
}

/** The build argument is how the docker CLI asks for an inline cache. */
function cacheExports({ buildkit, request }: BuildPlan): readonly TypedAttrs[] {
	const { cacheExports } = buildkit;
	const isInline = parseBoolean(request.buildArgs?.BUILDKIT_INLINE_CACHE ?? undefined);
	if (!isInline || cacheExports.some(({ type }) => type === "inline")) return cacheExports;
	return [...cacheExports, { type: "inline", attrs: {} }];
}

function frontendAttrs({ request, buildkit }: BuildPlan): Record<string, string> {
	const { buildArgs = {}, labels = {}, ulimits = [], extraHosts = [] } = request;
	return present({
		target: request.target,
		platform: request.platform,
		// Without a value: all stages.
		"no-cache": request.noCache ? "" : list(buildkit.noCacheStages),
		"cache-imports": cacheImports(buildkit.cacheImports),
		"image-resolve-mode": request.pull ? "pull" : "local",
		"force-network-mode": networkMode(request.networkMode),
		"add-hosts": list(extraHosts.map(hostEntry)),
		"shm-size": request.shmSize?.toString(),
		ulimit: list(ulimits.map(ulimitEntry)),
		"cgroup-parent": request.cgroupParent,
		...prefixed("build-arg:", buildArgs),
		...prefixed("label:", labels),
		...prefixed("attest:", buildkit.attestations),
	});
}

/** The frontend wants to be told, too, in the JSON of BuildKit's CacheOptionsEntry. */
function cacheImports(imports: readonly TypedAttrs[]): string | undefined {
	if (imports.length === 0) return undefined;
	return JSON.stringify(imports.map(({ type, attrs }) => ({ Type: type, Attrs: attrs })));
}

function networkMode(mode = "default"): string | undefined {
	return mode === "default" || mode === "" ? undefined : mode;
}

function hostEntry(host: string): string {
	return host.replace(":", "=");
}

function ulimitEntry({ name, soft, hard }: Ulimit): string {
	return `${name}=${soft}:${hard}`;
}

function list(entries: readonly string[]): string | undefined {
	return entries.length === 0 ? undefined : entries.join(",");
}

/** A build argument without a value is one that the frontend is not told of. */
function prefixed(
	prefix: string,
	values: Readonly<Record<string, string | null>>,
): Record<string, string | undefined> {
	return Object.fromEntries(
		Object.entries(values).map(([name, value]) => [prefix + name, value ?? undefined]),
	);
}

function present(attrs: Readonly<Record<string, string | undefined>>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(attrs).filter((entry): entry is [string, string] => entry[1] !== undefined),
	);
}
