import { EngineError } from "../errors.js";
import type { EngineFacts } from "../events.js";
import { fields } from "./document.js";
import type { EngineResponse } from "./engine.js";
import { joinPlatform } from "./platforms.js";

/**
 * The API versions rbuild speaks. The oldest is Docker 19.03's, the newest the last one it is tested
 * with; every later daemon so far still takes it (Docker 29 wants at least 1.44).
 */
const API_VERSIONS = { oldest: "1.40", newest: "1.51" } as const;

/** The fields of GET /version that are used (API 1.24 and later; Podman's has them too). */
interface VersionDocument {
	readonly version: string;
	readonly os: string;
	readonly arch: string;
	readonly minApiVersion: string | undefined;
	/** "Engine" for Docker, "Podman Engine" for Podman: the name of the first component. */
	readonly component: string | undefined;
}

/** @returns undefined when the document is not a daemon's */
export function parseVersion(document: unknown): VersionDocument | undefined {
	const { Version, Os, Arch, MinAPIVersion, Components } = fields(document);
	if (typeof Version !== "string" || typeof Os !== "string" || typeof Arch !== "string") return;
	const component = Array.isArray(Components) ? fields(Components[0]).Name : undefined;
	return {
		version: Version,
		os: Os,
		arch: Arch,
		minApiVersion: typeof MinAPIVersion === "string" ? MinAPIVersion : undefined,
		component: typeof component === "string" ? component : undefined,
	};
}

/**
 * What to know of a daemon, from the headers of GET /_ping and from GET /version.
 * @throws EngineError when the two sides have no API version in common
 */
export function engineFacts(
	ping: EngineResponse["headers"],
	version: VersionDocument,
	target: string,
): EngineFacts {
	const product = version.component?.startsWith("Podman") ? "podman" : "docker";
	return {
		product,
		version: version.version,
		apiVersion: agreeOnApiVersion(String(ping["api-version"]), version.minApiVersion, target),
		platform: joinPlatform(version.os, version.arch),
		builder: hasBuildKit(product, version.os, ping["builder-version"]) ? "buildkit" : "classic",
	};
}

/**
 * Every Docker on Linux since 18.09 has BuildKit. One that was told not to use it says "1" and is
 * heeded; 20.10 says nothing unless told, and the docker CLI uses BuildKit then, too. Podman says "1"
 * and builds with Buildah whatever it is asked for.
 */
function hasBuildKit(product: string, os: string, builderVersion: unknown): boolean {
	return product === "docker" && os === "linux" && builderVersion !== "1";
}

function agreeOnApiVersion(theirs: string, theirOldest: string | undefined, target: string) {
	if (compareApiVersions(theirs, API_VERSIONS.oldest) < 0) {
		throw new EngineError(
			`the daemon of ${target} is too old: it speaks API ${theirs}, rbuild needs ${API_VERSIONS.oldest}`,
			{ hint: "upgrade Docker on that machine to 19.03 or later" },
		);
	}
	if (theirOldest !== undefined && compareApiVersions(theirOldest, API_VERSIONS.newest) > 0) {
		throw new EngineError(
			`the daemon of ${target} wants API ${theirOldest} or later, rbuild speaks up to ${API_VERSIONS.newest}`,
			{ hint: "upgrade rbuild" },
		);
	}
	return compareApiVersions(theirs, API_VERSIONS.newest) < 0 ? theirs : API_VERSIONS.newest;
}

/** Orders "1.9" before "1.10". */
function compareApiVersions(a: string, b: string): number {
	const [aMajor = 0, aMinor = 0] = a.split(".").map(Number);
	const [bMajor = 0, bMinor = 0] = b.split(".").map(Number);
	return aMajor - bMajor || aMinor - bMinor;
}
