import type { TypedAttrs } from "../../buildkit/control.js";
import type { Environment } from "../../environment.js";
import type { Emit } from "../../events.js";
import { parseBoolean } from "./go-values.js";
import type { BuildOptions, CacheOption } from "./options.js";

/** What of an entry no one else may see. */
const SECRET_ATTRS = ["token", "ghtoken"];

/**
 * A cache of GitHub Actions, with the way there and the token of the job that this run is part of, as docker buildx
 * (build/opt.go) has it. All other caches are returned as they are.
 *
 * @param flag that asked for it
 * @returns undefined, with a warning, where there is no job whose cache it could be
 */
export function ofThisJob(
	cache: TypedAttrs,
	flag: string,
	{ variables }: Environment,
	emit: Emit,
): TypedAttrs | undefined {
	if (cache.type !== "gha") return cache;
	const attrs = { ...accessOf(cache.attrs, variables), ...cache.attrs };
	if (attrs.token && (attrs.url || attrs.url_v2)) return { type: cache.type, attrs };
	const missing = attrs.token ? "ACTIONS_RESULTS_URL" : "ACTIONS_RUNTIME_TOKEN";
	emit({
		type: "warning",
		message: `${flag} type=gha is ignored: ${missing} is not set`,
		hint: "GitHub Actions sets it for actions, not for run steps; crazy-max/ghaction-github-runtime exports it",
	});
	return undefined;
}

/** The tokens with which caches of GitHub Actions are written and read. */
export function actionsTokens(
	{ cacheFrom = [], cacheTo = [] }: Pick<BuildOptions, "cacheFrom" | "cacheTo">,
	{ variables }: Environment,
): readonly string[] {
	const caches = [...cacheFrom, ...cacheTo].filter(
		(cache): cache is CacheOption => typeof cache !== "string" && cache.type === "gha",
	);
	if (caches.length === 0) return [];
	const given = caches.flatMap(({ attrs = {} }) => SECRET_ATTRS.map((name) => attrs[name]));
	return [variables.ACTIONS_RUNTIME_TOKEN, ...given].filter((token) => !!token) as string[];
}

function accessOf(
	{ version }: TypedAttrs["attrs"],
	{
		ACTIONS_RUNTIME_TOKEN: token,
		ACTIONS_CACHE_SERVICE_V2: isSecond,
		ACTIONS_CACHE_URL: cacheUrl,
		ACTIONS_RESULTS_URL: resultsUrl,
	}: Environment["variables"],
): Record<string, string> {
	const url = cacheUrl ?? resultsUrl;
	const ofSecond = version === undefined ? parseBoolean(isSecond) : version === "2";
	return {
		...(token === undefined ? {} : { token }),
		...(url === undefined ? {} : { url }),
		...(ofSecond && resultsUrl !== undefined ? { url_v2: resultsUrl } : {}),
	};
}
