import { stageNames } from "./stages.js";
import { isKnownFrontend, readDockerfile } from "./steps.js";
import { DockerfileSyntaxError } from "./syntax-error.js";

/**
 * The names of a Dockerfile's stages, in lower case, by their numbers; undefined for one without.
 *
 * @param frontend in place of the one that the Dockerfile names
 * @returns undefined for a Dockerfile that is not understood, or that another frontend may read otherwise
 */
export function readStageNames(
	dockerfile: string,
	frontend: string | undefined,
): readonly (string | undefined)[] | undefined {
	try {
		const read = readDockerfile(dockerfile);
		const names = isKnownFrontend(frontend ?? read.frontend) ? stageNames(read.steps) : [];
		return names.length > 0 ? names : undefined;
	} catch (error) {
		if (error instanceof DockerfileSyntaxError) return undefined;
		throw error;
	}
}
