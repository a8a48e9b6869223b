import { isKnownFrontend } from "./frontends.js";
import { stagesWithout } from "./stages.js";
import { readDockerfile } from "./steps.js";
import { DockerfileSyntaxError } from "./syntax-error.js";

/**
 * The names of a Dockerfile's stages, in lower case, where the target is none of them.
 *
 * @param frontend in place of the one that the Dockerfile names
 * @returns undefined where it is one, and for a Dockerfile that is not understood, or that another
 * frontend may read otherwise
 */
export function stagesInsteadOf(
	target: string,
	dockerfile: string,
	frontend: string | undefined,
): readonly string[] | undefined {
	try {
		const read = readDockerfile(dockerfile);
		if (!isKnownFrontend(frontend ?? read.frontend)) return undefined;
		return stagesWithout(target, read.steps);
	} catch (error) {
		if (error instanceof DockerfileSyntaxError) return undefined;
		throw error;
	}
}
