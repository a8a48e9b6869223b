import type { LocalContext } from "../../context/build-context.js";
import type { ContextPart } from "../../context/thread/directory-context.js";
import type { Engine, EngineQuestions } from "../../engine/engine.js";
import {
	type BaseImage,
	type DockerfileNeeds,
	type KnownImage,
	type NeedsOptions,
	takesAll,
} from "../../survey/dockerfile/dockerfile-needs.js";
import type { BuildPlan } from "../plan/build-plan.js";
import type { StoredImages } from "./stored-images.js";

/** What a build takes of its context. */
export interface NeededContext {
	/** What is known to be taken, as far as it is not everything. */
	readonly part: ContextPart | undefined;
	/** Why more may be taken, for people; absent where nothing else is. */
	readonly doubt: string | undefined;
	/** Whether a sync has all of it nevertheless. */
	readonly syncsAll: boolean;
}

/** As far as is known. */
export const ALL: NeededContext = { part: undefined, doubt: undefined, syncsAll: true };

type Asked = Pick<BuildPlan, "request">;

/** The text of a context's Dockerfile. */
function dockerfileOf({ dockerfileContent }: LocalContext): string {
	return Buffer.from(dockerfileContent).toString("utf8");
}

/** Whether the Dockerfile takes all of the context, whatever the box is. */
export async function takesWholeContext(context: LocalContext, plan: Asked): Promise<boolean> {
	return takesAll(await needsAnywhere(context, plan));
}

/** Whether a sync of the context has all of it, whatever the box is. */
export async function syncsWholeContext(context: LocalContext, plan: Asked): Promise<boolean> {
	const needs = await needsAnywhere(context, plan);
	return needs.syncsAll || takesAll(needs);
}

/** Asks for what has to be known of images, where a Dockerfile does not take everything anyway. */
export async function askForImages(
	context: LocalContext,
	plan: Asked,
	questions: EngineQuestions,
	images: StoredImages,
): Promise<void> {
	const needs = await needsAnywhere(context, plan);
	if (takesAll(needs)) return;
	for (const { reference } of needs.images) images.find(questions, reference).catch(() => {});
}

/** What the Dockerfile says by itself, before anything is known of the box. */
async function needsAnywhere(context: LocalContext, { request }: Asked): Promise<DockerfileNeeds> {
	const { readNeeds } = await import("../../survey/dockerfile/read-needs.js");
	return readNeeds(dockerfileOf(context), request);
}

/**
 * Finds out what a build on this engine takes of its context.
 *
 * @throws ContextError, InterruptedError
 */
export async function neededContext(
	context: LocalContext,
	{ request, platform }: Pick<BuildPlan, "request" | "platform">,
	engine: Engine,
	images: StoredImages,
): Promise<NeededContext> {
	const { readNeeds } = await import("../../survey/dockerfile/read-needs.js");
	const { facts } = engine;
	const options: NeedsOptions = {
		target: request.target,
		buildArgs: request.buildArgs,
		builder: facts.builder,
		platforms: { asked: platform, own: facts.platform },
	};
	const dockerfile = dockerfileOf(context);
	const first = readNeeds(dockerfile, options);
	if (takesAll(first)) return ALL;
	const known = request.pull
		? new Map<string, KnownImage>()
		: await knownImages(first.images, platform ?? facts.platform, engine, images);
	const knownImage = (image: BaseImage) => known.get(keyOf(image));
	const needs = known.size === 0 ? first : readNeeds(dockerfile, { ...options, knownImage });
	if (takesAll(needs)) return ALL;
	const part = await context.part(needs.uses.flatMap(({ paths }) => paths));
	if (part === undefined) return ALL;
	const [doubt, ...others] = needs.doubts;
	const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
	return { part, doubt: doubt && `${doubt}${more}`, syncsAll: needs.syncsAll };
}

/** Those that the builder takes from the box's store as they are, without asking a registry. */
async function knownImages(
	bases: readonly BaseImage[],
	usual: string,
	engine: Engine,
	images: StoredImages,
): Promise<ReadonlyMap<string, KnownImage>> {
	const known = new Map<string, KnownImage>();
	await Promise.all(
		bases.map(async (base) => {
			const image = await images.find(engine, base.reference);
			if (image === undefined || image.platform !== (base.platform ?? usual)) return;
			const isFixed =
				engine.facts.builder !== "buildkit" ||
				image.isInGraphDriver ||
				base.reference.includes("@sha256:");
			if (isFixed) known.set(keyOf(base), image);
		}),
	);
	return known;
}

function keyOf({ reference, platform = "" }: BaseImage): string {
	return `${reference} ${platform}`;
}
