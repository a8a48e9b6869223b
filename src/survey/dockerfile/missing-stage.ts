import { frontendOf, isKnownFrontend } from "./frontends.js";
import { readDockerfile } from "./instructions.js";
import { stagesWithout } from "./stages.js";
import { DockerfileSyntaxError } from "./syntax-error.js";

/**
 * The names of a Dockerfile's stages, in lower case, where the target is none of them.
 *
 * @param buildArgs one may give the frontend
 * @returns undefined where it is one, and for a Dockerfile that is not understood, or that another
 * frontend may read otherwise
 */
export function stagesInsteadOf(
	target: string,
	dockerfile: string,
	buildArgs?: Readonly<Record<string, string | null>>,
): readonly string[] | undefined {
	try {
		if (!isKnownFrontend(frontendOf(dockerfile, buildArgs))) return undefined;
		return stagesWithout(target, readDockerfile(dockerfile).instructions);
	} catch (error) {
		if (error instanceof DockerfileSyntaxError) return undefined;
		throw error;
	}
}
