import type { BuildPlatforms } from "./platform-arguments.js";
import type { BuilderKind } from "./scope.js";

/** An instruction that takes files of the context. */
export interface ContextUse {
	/** In the Dockerfile, counted from 1. */
	readonly line: number;
	/** The instruction on one line, shortened. */
	readonly text: string;
	/**
	 * In the context, cleaned; "" is all of it. Those of COPY and ADD may have wildcards, as Go's
	 * filepath.Match has them.
	 */
	readonly paths: readonly string[];
	/** Patterns of `--exclude`, relative to what is copied. */
	readonly excludes: readonly string[];
	/** With `--parents`: the directory that excludes and the copied paths are relative to, else absent. */
	readonly pivots?: readonly string[];
}

/** What a build takes of its context, as far as its Dockerfile tells. */
export interface DockerfileNeeds {
	/** In the order of the Dockerfile. */
	readonly uses: readonly ContextUse[];
	/** Why more may be taken; empty where it is proven that nothing else is. For people. */
	readonly doubts: readonly string[];
	/**
	 * Whether BuildKit asks a sync for all of the context, of which it uses no more than this: for a tmpfs mount beside
	 * what takes some of it (dockerfile2llb, dispatchRunMounts).
	 */
	readonly syncsAll: boolean;
	/** The images of FROM in what is built, of which some may be unknown: then there is a doubt, too. */
	readonly images: readonly BaseImage[];
	/** Where the Dockerfile does not parse; then there are no uses, and one doubt. */
	readonly failure?: { readonly line: number; readonly column: number; readonly message: string };
}

export interface BaseImage {
	readonly reference: string;
	/** Asked for by FROM --platform. */
	readonly platform: string | undefined;
}

/** What has to be known of an image that a stage starts from. */
export interface KnownImage {
	/** As "NAME=VALUE". */
	readonly environment: readonly string[];
	/** Whether it has ONBUILD instructions. */
	readonly hasTriggers: boolean;
}

export interface NeedsOptions {
	/** A stage's name or number; absent or empty: the last one. */
	readonly target?: string | undefined;
	/** Those without a value are not given. */
	readonly buildArgs?: Readonly<Record<string, string | null>> | undefined;
	/** Absent: "buildkit". */
	readonly builder?: BuilderKind | undefined;
	readonly platforms?: BuildPlatforms | undefined;
	/** Images of which the builder is sure to use what is known. Absent: none. */
	readonly knownImage?: ((image: BaseImage) => KnownImage | undefined) | undefined;
	/** Whether a name, which is none of a stage, is that of a named context to be told of; absent: the build context. */
	readonly isSource?: ((name: string) => boolean) | undefined;
}

/** Whether all of the context is taken, whatever else is. */
export function takesAll({ uses }: Pick<DockerfileNeeds, "uses">): boolean {
	return uses.some(({ paths }) => paths.includes(""));
}
