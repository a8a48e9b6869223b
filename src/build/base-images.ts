/**
 * The images that a Dockerfile's FROM lines name, for the credentials that the classic builder has to
 * be sent in advance. Variables take their ARG default or the build argument; a name that still holds
 * one after that is left out.
 */
export async function baseImages(
	dockerfile: string,
	buildArgs: Readonly<Record<string, string | null>>,
): Promise<readonly string[]> {
	const { DockerfileParser } = await import("dockerfile-ast");
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
		if (image !== "" && image !== "scratch" && !stages.has(image) && !image.includes("$")) {
			images.add(image);
		}
		const stage = from.getBuildStage();
		if (stage) stages.add(stage);
	}
	return [...images];
}

/** `$NAME`, `${NAME}` and `${NAME:-default}`. */
function substitute(text: string, values: ReadonlyMap<string, string>): string {
	return text.replace(
		/\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g,
		(whole, braced: string | undefined, fallback: string | undefined, bare: string | undefined) =>
			values.get(braced ?? bare ?? "") || (fallback ?? whole),
	);
}
