import type { ExtraFile } from "../context/content/extra-files.js";
import type { ContextLimits } from "./limits.js";

/** What is to be looked into, and for what. Crosses into the worker. */
export interface SurveyRequest {
	/** The context directory, absolute and without symlinks. */
	readonly root: string;
	readonly platform: NodeJS.Platform;
	/** Undefined where it could not be read. */
	readonly dockerfile: SurveyedDockerfile | undefined;
	/** The .dockerignore that applies; `file` is its name in messages. */
	readonly ignore: { readonly content: Uint8Array; readonly file: string } | undefined;
	/** Sent whatever the rules say. */
	readonly keep: readonly string[];
	/** What is sent in place of what the directory has there. */
	readonly extra: readonly ExtraFile[];
	/** The stage that is built; undefined: the last one. */
	readonly target: string | undefined;
	/** Values for ARGs; null where the environment had none. */
	readonly buildArgs: Readonly<Record<string, string | null>>;
	readonly linkBitsPerSecond: number | undefined;
	readonly limits: ContextLimits;
	/** Whether advice is wanted, and a look for credentials. */
	readonly judged: boolean;
	/** Where a sync keeps the hashes of this directory's files; undefined: nowhere. */
	readonly hashesFile: string | undefined;
	/** What is known already to be worth a warning, for people. */
	readonly warnings: readonly string[];
	/** An earlier document to compare with: where it is, and as the user named it. */
	readonly earlier: { readonly path: string; readonly name: string } | undefined;
}

export interface SurveyedDockerfile {
	/** As the user knows it. */
	readonly name: string;
	readonly content: Uint8Array;
	/** Its path in the context; absent when it is not in the context. */
	readonly pathInContext?: string;
}
