import { normalizePlatform } from "../../engine/platforms.js";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";

/** `--platform`, which may name several with commas in between, and be given several times. */
export type PlatformOption = string | readonly string[];

/**
 * The OCI platforms that are asked for, each once, in their order; none: the daemon's own. Without the
 * option, those of DOCKER_DEFAULT_PLATFORM.
 *
 * @throws UsageError
 */
export function platformsOf(
	option: PlatformOption | undefined,
	{ variables }: Pick<Environment, "variables">,
): readonly string[] {
	const asked = option ?? variables.DOCKER_DEFAULT_PLATFORM ?? [];
	const source = option === undefined ? "DOCKER_DEFAULT_PLATFORM" : "--platform";
	const names = [asked].flat().flatMap((text) => (text === "" ? [] : text.split(",")));
	return [...new Set(names.map((name) => normalizePlatform(name.trim(), source)))];
}

/** For what is done for one platform alone. @throws UsageError */
export function singlePlatform(
	option: PlatformOption | undefined,
	environment: Pick<Environment, "variables">,
): string | undefined {
	const [platform, ...others] = platformsOf(option, environment);
	if (others.length === 0) return platform;
	throw new UsageError(
		`only one platform is supported here, not "${[platform, ...others].join(",")}"`,
		{
			hint: "run it once for each",
		},
	);
}
