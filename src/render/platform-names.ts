import type { PlatformNews } from "../events.js";
import { printableName } from "../printable.js";

/** In a build for several platforms, which of them a line is about. */
export function ofPlatform({ platform }: PlatformNews, line: string): string {
	return platform === undefined ? line : `${printableName(platform)}: ${line}`;
}

/** The name of a step as BuildKit itself writes it for several platforms, "[linux/arm64 2/3] RUN make". */
export function stepName({ platform, name }: PlatformNews & { readonly name: string }): string {
	if (platform === undefined) return name;
	return name.startsWith("[") ? `[${platform} ${name.slice(1)}` : `[${platform}] ${name}`;
}

/** What news is about, so that none of one platform is taken for that of another. */
export function newsKey({ platform = "" }: PlatformNews, name: string): string {
	return `${platform} ${name}`;
}

/**
 * Whether a key is about any of the platforms of a box; all are where it is not told.
 * @param platforms as in an event of that box
 */
export function isAbout(key: string, platforms: string | undefined): boolean {
	if (platforms === undefined) return true;
	return [platforms, ...platforms.split(",")].some((one) => key.startsWith(`${one} `));
}
