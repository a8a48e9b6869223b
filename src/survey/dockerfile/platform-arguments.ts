import type { BuilderKind, Value } from "./scope.js";
import { UnresolvableError } from "./shell-words.js";

/** The platforms of a build, as OCI platforms; what is absent is not known. */
export interface BuildPlatforms {
	/** Asked for by --platform. */
	readonly asked?: string | undefined;
	/** The machine's own. */
	readonly own?: string | undefined;
}

/** What ARG has without being given it (dockerfile2llb/platform.go, defaultArgs). Others have less. */
export function platformArguments(
	{ asked, own }: BuildPlatforms,
	kind: BuilderKind,
): Map<string, Value> {
	const build = kind === "buildkit" && own !== undefined ? partsOf(own, { isExact: false }) : {};
	const aim = asked ?? own;
	const isExact = asked !== undefined;
	const target = kind === "buildkit" && aim !== undefined ? partsOf(aim, { isExact }) : {};
	const values = new Map<string, Value>();
	for (const part of ["PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT", "STAGE"] as const) {
		values.set(`TARGET${part}`, target[part] ?? new UnresolvableError(`$TARGET${part}`));
		if (part === "STAGE") continue;
		values.set(`BUILD${part}`, build[part] ?? new UnresolvableError(`$BUILD${part}`));
	}
	return values;
}

/** @param isExact whether the daemon goes by this and nothing else: it may know its own CPU better */
function partsOf(
	platform: string,
	{ isExact }: { readonly isExact: boolean },
): Readonly<Record<string, string>> {
	const [OS = "", ARCH = "", VARIANT = ""] = platform.split("/");
	const hasNoVariants = ARCH === "amd64" && VARIANT === "";
	return isExact || hasNoVariants ? { PLATFORM: platform, OS, ARCH, VARIANT } : { OS, ARCH };
}
