import type { Engine } from "../../src/engine/engine.js";

/** The names of the images that hold an index, and those of their contexts. */
export async function indexImages(
	engine: Engine,
	context = /^/,
): Promise<readonly (readonly [name: string, context: string])[]> {
	const images = (await engine.json({
		method: "GET",
		path: "/images/json",
		query: { filters: JSON.stringify({ label: ["rbuild.context"] }) },
		signal: new AbortController().signal,
	})) as readonly {
		readonly RepoTags: readonly string[] | null;
		readonly Labels: Readonly<Record<string, string>>;
	}[];
	return images
		.filter(({ Labels }) => context.test(Labels["rbuild.context"] ?? ""))
		.flatMap(({ RepoTags, Labels }) =>
			(RepoTags ?? []).map((tag) => [tag, Labels["rbuild.context"] ?? ""] as const),
		)
		.filter(([tag]) => tag.startsWith("rbuild.local/"))
		.sort();
}
