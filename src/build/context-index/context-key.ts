import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { LocalContext } from "../../context/build-context.js";
import { gitPlace } from "../../context/git-remote.js";
import { takesWholeContext } from "../inputs/needed-context.js";
import type { BuildPlan } from "../plan/build-plan.js";

/** The name of a build context, by which a daemon's copy of it is found again. */
export interface ContextKey {
	/** For people. */
	readonly name: string;
	/** SHA-256. */
	readonly digest: Buffer;
}

/**
 * A context is the same one in every clone of a repository, else where it is in the same place. What
 * a daemon has of it is what the last build asked for: so builds that ask for parts of it have copies
 * of their own, by Dockerfile, target and platform, and those that ask for everything share one. Any
 * other rule would be as right, and slower.
 */
export async function contextKey(context: LocalContext, plan: BuildPlan): Promise<ContextKey> {
	const name = plan.contextKey ?? (await placeOf(context.root));
	const variant = await variantOf(context, plan);
	const digest = createHash("sha256").update(`rbuild context\0${name}\0${variant}`).digest();
	return { name, digest };
}

/**
 * As the build context's, of a directory that a Dockerfile knows by a name. Daemons keep one apart for each
 * platform.
 */
export async function namedContextKey(
	name: string,
	root: string,
	{ contextKey, platform }: Pick<BuildPlan, "contextKey" | "platform">,
): Promise<ContextKey> {
	const place = contextKey === undefined ? await placeOf(root) : `${contextKey}:${name}`;
	const digest = createHash("sha256")
		.update(`rbuild named context\0${place}\0${name}\0${platform ?? ""}`)
		.digest();
	return { name: place, digest };
}

/**
 * The name under which a daemon keeps the files for one generation of an index. Where an index is lost,
 * so is its generation: what it knew is never mixed up with what comes after.
 */
export function sharedKey({ digest }: ContextKey, generation: Uint8Array): string {
	return createHash("sha256")
		.update("rbuild copy\0")
		.update(digest)
		.update(generation)
		.digest("hex");
}

async function placeOf(root: string): Promise<string> {
	const place = await gitPlace(root);
	return place === undefined ? root : `${place.remote}:${place.folder}`;
}

async function variantOf(context: LocalContext, plan: BuildPlan): Promise<string> {
	if (await takesWholeContext(context, plan)) return "";
	const { target, platform } = plan.request;
	// The name of one from elsewhere is made of its content.
	const { dockerfile = "", dockerfileName } = context;
	const name = dockerfile.startsWith(".dockerfile.") ? basename(dockerfileName) : dockerfile;
	return [name, target ?? "", platform ?? ""].join("\0");
}
