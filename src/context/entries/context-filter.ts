/**
 * Which part of a directory is asked for, as BuildKit says it (session/filesync, FSSendRequestOpt).
 * Patterns and paths are in the encoding of path-bytes.ts.
 */
export interface ContextFilter {
	/** Only what fits one of these is wanted; all, if there are none and no paths to follow. */
	readonly includes: readonly string[];
	/** The rules of the .dockerignore, as the daemon read it. */
	readonly excludes: readonly string[];
	/** Paths that are wanted, with what symlinks on them lead to; they may have wildcards. */
	readonly followPaths: readonly string[];
}

/** Whether BuildKit wants to know the rules first, which it keeps apart from the context itself (dockerui). */
export function isForRules({ followPaths }: ContextFilter): boolean {
	return followPaths.length === 1 && followPaths[0] === ".dockerignore";
}
