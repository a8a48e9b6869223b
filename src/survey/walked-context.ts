import type { IgnoreRules } from "../context/ignore/ignore-rules.js";
import type { ContextEntry } from "../context/tree/manifest.js";
import type { SourceTree } from "../context/tree/source-tree.js";
import type { IgnoredPath } from "./context-document.js";
import type { SurveyedDockerfile, SurveyRequest } from "./survey-request.js";

/** A context after the walk, for whoever looks closer at what would be sent. */
export interface WalkedContext {
	readonly root: string;
	readonly tree: SourceTree;
	/** What would be sent, in the order of the tar. */
	readonly entries: readonly ContextEntry[];
	/** The contents of entries that are not in the tree, by path. */
	readonly contents: ReadonlyMap<string, Uint8Array>;
	readonly ignored: readonly IgnoredPath[];
	readonly ignore: SurveyRequest["ignore"];
	/** Paths that are sent whatever the ignore file says. */
	readonly keep: readonly string[];
	/** With the paths that are kept whatever the ignore file says. */
	readonly rules: IgnoreRules;
	readonly dockerfile: SurveyedDockerfile | undefined;
	readonly target: string | undefined;
	readonly buildArgs: SurveyRequest["buildArgs"];
}
