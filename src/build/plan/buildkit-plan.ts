import { resolve } from "node:path";
import type { TypedAttrs } from "../../buildkit/control.js";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import type { Emit } from "../../events.js";
import { checkFolder } from "../../image/export/folder-target.js";
import { unsupportedValue } from "../../unsupported-value.js";
import { ofThisJob } from "./actions-cache.js";
import { type NamedContext, planNamedContexts } from "./named-contexts.js";
import type { BuildOptions, CacheOption } from "./options.js";

/** What is asked of BuildKit beyond POST /build, after it has been checked. */
export interface BuildKitPlan {
	readonly namedContexts: ReadonlyMap<string, NamedContext>;
	/** All of them, images included. */
	readonly cacheImports: readonly TypedAttrs[];
	readonly cacheExports: readonly TypedAttrs[];
	readonly noCacheStages: readonly string[];
	/** As attributes of an exporter of images. */
	readonly annotations: Readonly<Record<string, string>>;
	/** The parameters of each as a line of CSV, by "provenance" and "sbom". */
	readonly attestations: Readonly<Record<string, string>>;
	readonly entitlements: readonly string[];
}

const ATTESTATIONS: readonly string[] = ["provenance", "sbom"];

export const ENTITLEMENTS: readonly string[] = ["network.host", "security.insecure", "device"];

/** "key", or what it is of, several with commas: "manifest:key", "index,manifest[linux/amd64]:key". */
const ANNOTATION = /^(?:(?<types>[^:]*):)?(?<key>[^\s:]+)$/;
const ANNOTATED = /^(?:index|manifest)(?:-descriptor)?(?:\[[\w/-]+\])?$/;

/** @throws UsageError, ContextError, DeliveryError */
export async function planBuildKit(
	options: BuildOptions,
	environment: Environment,
	emit: Emit,
): Promise<BuildKitPlan> {
	const reachable = (
		caches: readonly (string | CacheOption)[],
		flag: string,
		folder: "src" | "dest",
	) =>
		caches.flatMap(
			(cache) =>
				ofThisJob(cacheEntry(cache, flag, folder, environment), flag, environment, emit) ?? [],
		);
	const cacheExports = reachable(options.cacheTo ?? [], "--cache-to", "dest");
	for (const { type, attrs } of cacheExports) {
		if (type === "local") await checkFolder(attrs.dest ?? "", "name a folder for the cache");
	}
	return {
		namedContexts: await planNamedContexts(options.buildContexts ?? {}, environment),
		cacheImports: reachable(options.cacheFrom ?? [], "--cache-from", "src"),
		cacheExports,
		noCacheStages: options.noCacheFilter ?? [],
		annotations: annotationAttrs(options.annotations ?? {}),
		attestations: attestationLines(options.attestations ?? {}),
		entitlements: (options.allow ?? []).map(entitlement),
	};
}

/** @param folder what the folder of a local cache is given by */
function cacheEntry(
	cache: string | CacheOption,
	flag: string,
	folder: "src" | "dest",
	{ workingDirectory }: Environment,
): TypedAttrs {
	const { type, attrs = {} } =
		typeof cache === "string" ? { type: "registry", attrs: { ref: cache } } : cache;
	if (type === "local") {
		const path = attrs[folder];
		if (path) return { type, attrs: { ...attrs, [folder]: resolve(workingDirectory, path) } };
		throw new UsageError(`${flag} type=local has no ${folder}`, {
			hint: `write it as ${flag} type=local,${folder}=FOLDER`,
		});
	}
	if (type === "registry" && !attrs.ref) {
		throw new UsageError(`${flag} type=registry has no ref`, {
			hint: `write it as ${flag} type=registry,ref=registry.example.com/app:cache`,
		});
	}
	return { type, attrs };
}

function annotationAttrs(annotations: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(annotations).flatMap(([name, value]) =>
			annotationNames(name).map((attr) => [attr, value]),
		),
	);
}

/** As attributes: "annotation.key", "annotation-manifest[linux/amd64].key". */
function annotationNames(name: string): string[] {
	const { types, key } = ANNOTATION.exec(name)?.groups ?? {};
	const prefixes = types?.split(",").map((type) => (ANNOTATED.test(type) ? `-${type}` : undefined));
	if (key === undefined || prefixes?.includes(undefined)) {
		throw new UsageError(`--annotation "${name}" is not a valid name`, {
			hint: "write it as KEY, manifest:KEY or index,manifest:KEY",
		});
	}
	return (prefixes ?? [""]).map((prefix) => `annotation${prefix}.${key}`);
}

function attestationLines(
	attestations: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Record<string, string> {
	return Object.fromEntries(
		Object.entries(attestations).map(([type, parameters]) => {
			if (!ATTESTATIONS.includes(type)) {
				throw unsupportedValue("--attest type=", type, ATTESTATIONS);
			}
			return [type, csvLine(parameters)];
		}),
	);
}

function csvLine(parameters: Readonly<Record<string, string>>): string {
	return Object.entries(parameters)
		.map(([name, value]) => `${name}=${value}`)
		.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
		.join(",");
}

function entitlement(name: string): string {
	if (ENTITLEMENTS.includes(name.replace(/=.*$/s, ""))) return name;
	throw unsupportedValue("--allow", name, ENTITLEMENTS);
}
