import type { LocalPart } from "../../buildkit/local-definition.js";
import type { BuildContext } from "../../context/build-context.js";
import { readIgnoreFile } from "../../context/ignore/ignore-file.js";
import { UsageError } from "../../errors.js";
import { frontendOf, isKnownFrontend } from "../../survey/dockerfile/frontends.js";
import type { NamedDirectory } from "../inputs/named-directories.js";
import type { BuildPlan } from "../plan/build-plan.js";
import { contextName } from "../plan/named-contexts.js";

type PlannedContexts = Pick<BuildPlan, "request" | "platform"> & {
	readonly buildkit: Pick<BuildPlan["buildkit"], "namedContexts">;
};

/** How many times the bytes that are known to be taken a directory may have, to be sent whole. */
const MOST_UNUSED = 2;

/** By name: what jointPart() says of each. @throws ContextError, InterruptedError */
export async function jointParts(
	directories: readonly NamedDirectory[],
	context: BuildContext,
	plan: PlannedContexts,
	own: string,
): Promise<ReadonlyMap<string, LocalPart | undefined>> {
	const parts = directories.map(
		async (one) => [one.name, await jointPart(one, context, plan, own)] as const,
	);
	return new Map(await Promise.all(parts));
}

/**
 * What to have BuildKit ask for of a named directory. Its frontend would ask for the .dockerignore first, and then
 * for what each instruction takes by itself (dockerfile2llb: an unregistered stage for each COPY), but keep all of
 * it in one place, where each removes what the others have brought: every build would send them again.
 *
 * Where it is more than an instruction takes, a COPY with a wildcard that nothing fits copies nothing, of which the
 * frontend makes an error if it has not asked for the folder either.
 *
 * @param own the platform of the daemon
 * @returns undefined where the frontend had better ask: where base images may take more of the directory than is
 * known, unless most of it is taken anyway; and where some of what need not be taken cannot be read
 * @throws ContextError, InterruptedError
 */
export async function jointPart(
	{ name, directory, ignore, totals }: NamedDirectory,
	context: BuildContext,
	{ request, platform, buildkit }: PlannedContexts,
	own: string,
): Promise<LocalPart | undefined> {
	if (context.dockerfileContent === undefined) return undefined;
	const dockerfile = Buffer.from(context.dockerfileContent).toString("utf8");
	if (!isKnownFrontend(frontendOf(dockerfile, request.buildArgs))) return undefined;
	const { readNeeds } = await import("../../survey/dockerfile/read-needs.js");
	const { readDockerfile } = await import("../../survey/dockerfile/instructions.js");
	const { stageNames } = await import("../../survey/dockerfile/stages.js");
	const { uses, doubts } = readNeeds(dockerfile, {
		target: request.target,
		buildArgs: request.buildArgs,
		platforms: { asked: platform, own },
		isSource: (from) => nameOf(from) === name,
	});
	if (uses.length === 0) return undefined;
	// A context in the place of a stage brings other variables, and other triggers.
	const isReplaced = (stage: string) => buildkit.namedContexts.has(nameOf(stage) ?? "");
	if (stageNames(readDockerfile(dockerfile).instructions).some(isReplaced)) return undefined;
	const paths = [...new Set(uses.flatMap(({ paths }) => paths))];
	const excludes = ignore === undefined ? [] : excludesOf(ignore);
	const taken = paths.includes("") ? undefined : await directory.part({ paths, always: [] });
	const { unreadable } = await directory.walked;
	if (unreadable.length > 0 && (taken === undefined || doubts.length > 0)) return undefined;
	if (taken === undefined) return { followPaths: [], excludes };
	if (doubts.length === 0) return { followPaths: paths, excludes };
	const parts = new Set(uses.map((use) => [...use.paths].sort().join("\0")));
	if (parts.size < 2) return undefined;
	const isMostly = totals.bytes <= MOST_UNUSED * taken.totals().bytes;
	return isMostly ? { followPaths: [], excludes } : undefined;
}

/** Of what no context can be called: undefined. */
function nameOf(text: string): string | undefined {
	try {
		return contextName(text);
	} catch (error) {
		if (error instanceof UsageError) return undefined;
		throw error;
	}
}

/** As the frontend hands them on. */
function excludesOf({ content, file }: NonNullable<NamedDirectory["ignore"]>): readonly string[] {
	return readIgnoreFile(content, file).map(
		({ negated, pattern }) => `${negated ? "!" : ""}${pattern}`,
	);
}
