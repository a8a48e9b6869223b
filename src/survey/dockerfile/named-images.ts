import type { NeedsOptions } from "./dockerfile-needs.js";
import { globalArguments } from "./global-arguments.js";
import { readDockerfile } from "./instructions.js";
import { readStages, type Stage } from "./stages.js";
import { DockerfileSyntaxError } from "./syntax-error.js";

/** The images that a Dockerfile names. */
interface NamedImages {
	/** Those of FROM, and what COPY or a mount is "from" if that is no stage, in what is built. */
	readonly images: readonly string[];
	/** Whether none is left out because its name is not known. */
	readonly complete: boolean;
}

/** None of a Dockerfile that is not understood: no builder makes an image of it. */
export function namedImages(dockerfile: string, options: NeedsOptions): NamedImages {
	try {
		return imagesIn(dockerfile, options);
	} catch (error) {
		if (error instanceof DockerfileSyntaxError) return { images: [], complete: false };
		throw error;
	}
}

function imagesIn(dockerfile: string, options: NeedsOptions): NamedImages {
	const { builder = "buildkit", target } = options;
	const read = readDockerfile(dockerfile);
	const globals = globalArguments(read, options);
	const { stages, built, sources } = readStages(
		read.instructions,
		globals,
		read.escapeMark,
		builder,
		target,
	);
	const bases = built.flatMap((index) => {
		const { base } = stages[index] as Stage;
		return "reference" in base ? [base.reference] : [];
	});
	const named = [...new Set([...bases, ...sources])];
	// Podman alone fills in what COPY is from.
	const known = named.filter((name): name is string => name !== undefined && /^[^$]+$/.test(name));
	return { images: known, complete: known.length === named.length };
}
