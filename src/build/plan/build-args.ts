import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import type { Emit } from "../../events.js";
import { type ProxySettings, proxySettings } from "../../target/docker-config.js";
import type { BuildOptions } from "./options.js";

/** Build arguments by name; null: named, and there is no value for it. */
type BuildArgs = Readonly<Record<string, string | null>>;

/** Where a step looks for a proxy, in either case, and how docker's config.json calls it. */
const PROXY_ARGS = {
	HTTP_PROXY: "httpProxy",
	HTTPS_PROXY: "httpsProxy",
	FTP_PROXY: "ftpProxy",
	NO_PROXY: "noProxy",
	ALL_PROXY: "allProxy",
} as const satisfies Record<string, keyof ProxySettings>;

/**
 * The build arguments that were given, and those that docker adds: SOURCE_DATE_EPOCH of the environment
 * (buildx commands/build.go) and the proxies of config.json (docker/cli ParseProxyConfig). What was given
 * wins.
 *
 * @throws UsageError for a SOURCE_DATE_EPOCH that is none
 */
export async function resolveBuildArgs(
	{ buildArgs = {}, on }: Pick<BuildOptions, "buildArgs" | "on">,
	environment: Environment,
	emit: Emit,
): Promise<BuildArgs> {
	const { SOURCE_DATE_EPOCH, DOCKER_HOST } = environment.variables;
	const host = [on ?? DOCKER_HOST ?? []].flat();
	const args = {
		...(SOURCE_DATE_EPOCH ? { SOURCE_DATE_EPOCH } : {}),
		...(await proxyArgs(host, environment, emit)),
		...givenArgs(buildArgs, environment),
	};
	checkEpoch(args.SOURCE_DATE_EPOCH);
	return args;
}

/**
 * What BuildKit refuses once it has the context (exporter/util/epoch: Go's ParseInt, and 64 bits hold any 18 digits).
 * "context" is the time of what is built, such as that of a git commit (moby/buildkit#6602).
 */
function checkEpoch(epoch: string | null | undefined): void {
	if (!epoch || epoch === "context") return;
	if (/^[+-]?\d{1,18}$/.test(epoch)) return;
	throw new UsageError(`SOURCE_DATE_EPOCH "${epoch}" is not a time`, {
		hint: "give seconds since 1970, such as: export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)",
	});
}

/** A name alone takes the environment's value, and stays without one if there is none, as in docker. */
function givenArgs(buildArgs: BuildArgs, { variables }: Environment): BuildArgs {
	return Object.fromEntries(
		Object.entries(buildArgs).map(([name, value]) => [name, value ?? variables[name] ?? null]),
	);
}

/** Those of the one box that was named, else those that are for every box. */
async function proxyArgs(
	[box, ...others]: readonly string[],
	environment: Environment,
	emit: Emit,
): Promise<BuildArgs> {
	let settings: Readonly<Record<string, ProxySettings>>;
	try {
		settings = await proxySettings(environment);
	} catch (error) {
		// As docker: a file that does not parse is no reason not to build.
		if (!(error instanceof UsageError)) throw error;
		emit({ type: "warning", message: `no proxies for the build: ${error.message}` });
		return {};
	}
	const ofBox = box !== undefined && others.length === 0 ? settings[box] : undefined;
	const proxies = ofBox ?? settings.default ?? {};
	return Object.fromEntries(
		Object.entries(PROXY_ARGS).flatMap(([name, setting]) => {
			const value = proxies[setting];
			if (typeof value !== "string" || value === "") return [];
			return [name, name.toLowerCase()].map((each) => [each, value]);
		}),
	);
}
