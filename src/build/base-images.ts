/** The images that a Dockerfile names. */
export interface NamedImages {
	/** Those of FROM lines, and whatever else may be one: a COPY or a mount that is "from=" no stage. */
	readonly images: readonly string[];
	/** Whether none is left out because its name holds a variable whose value is not known. */
	readonly complete: boolean;
}

/** Variables take their ARG default or the build argument. */
export async function namedImages(
	dockerfile: string,
	buildArgs: Readonly<Record<string, string | null>>,
): Promise<NamedImages> {
	const { DockerfileParser } = await import("../survey/dockerfile/dockerfile-parser.js");
	const parsed = DockerfileParser.parse(dockerfile);
	const values = new Map<string, string>();
	for (const argument of parsed.getInitialARGs()) {
		const property = argument.getProperty();
		const name = property?.getName();
		if (name) values.set(name, buildArgs[name] ?? property?.getValue() ?? "");
	}
	const stages = new Set<string>();
	const images = new Set<string>();
	for (const from of parsed.getFROMs()) {
		const image = substitute(from.getImage() ?? "", values);
		if (image !== "scratch" && !stages.has(image.toLowerCase())) images.add(image);
		const stage = from.getBuildStage();
		if (stage) stages.add(stage.toLowerCase());
	}
	for (const [, name = ""] of dockerfile.matchAll(/\bfrom=["']?([^\s,"']+)/gi)) {
		if (!stages.has(name.toLowerCase()) && !/^\d+$/.test(name)) images.add(name);
	}
	const names = [...images];
	const known = names.filter((name) => name !== "" && !name.includes("$"));
	return { images: known, complete: known.length === names.length };
}

/** `$NAME`, `${NAME}` and `${NAME:-default}`. */
function substitute(text: string, values: ReadonlyMap<string, string>): string {
	return text.replace(
		/\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g,
		(whole, braced: string | undefined, fallback: string | undefined, bare: string | undefined) =>
			values.get(braced ?? bare ?? "") || (fallback ?? whole),
	);
}
