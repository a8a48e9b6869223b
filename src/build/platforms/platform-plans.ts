import { UsageError } from "../../errors.js";
import type { Run } from "../../events.js";
import type { BuildPlan } from "../plan/build-plan.js";
import type { BuildOptions } from "../plan/options.js";
import type { PlatformAnnotations } from "./annotations.js";

/**
 * Refuses what can only be had of one platform.
 *
 * @param plan of the whole build
 * @param via as the user has asked for it
 * @throws UsageError
 */
export function requireIndexable(
	{ deliveries, exports }: BuildPlan,
	via: BuildOptions["via"],
): void {
	const [output] = exports;
	if (output !== undefined) {
		throw new UsageError(`--output type=${output.output} supports only one platform`, {
			hint: "save them as one image with --save type=oci,dest=FILE.tar, or name one platform",
		});
	}
	if (via === "daemon") {
		throw new UsageError("--via daemon supports only one platform", {
			hint: "leave --via out: the image of several platforms is pushed from this machine",
		});
	}
	if (deliveries.saves.some(({ format }) => format === "docker")) {
		throw new UsageError("a docker archive supports only one platform", {
			hint: "save an OCI layout instead: --save type=oci,dest=FILE.tar",
		});
	}
}

/** Each platform is a build of its own, and writes a cache of its own. */
export function warnOfCaches({ buildkit }: BuildPlan, { emit }: Run): void {
	if (buildkit.cacheExports.every(({ type }) => type === "inline")) return;
	emit({
		type: "warning",
		message:
			"--cache-to is one place for several platforms: the last one built replaces the others",
		hint: "leave it out: each box keeps a cache of its own",
	});
}

/**
 * What one box is to build. Its image has no name before all of them are there.
 * @param plan of the whole build
 */
export function planFor(
	platform: string,
	plan: BuildPlan,
	annotations: PlatformAnnotations,
): BuildPlan {
	return {
		...plan,
		platform,
		tags: [],
		buildkit: { ...plan.buildkit, annotations: annotations.ofImage(platform) },
		request: { ...plan.request, platform, tags: [] },
	};
}
