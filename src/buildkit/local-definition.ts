import { definitionOf } from "./definition.js";
import type { Definition } from "./proto/gen/ops_pb.js";

/** Which files of a directory BuildKit is to ask for. */
export interface LocalPart {
	/** As ContextFilter has them; none: all paths. */
	readonly followPaths: readonly string[];
	readonly excludes: readonly string[];
}

/**
 * What has BuildKit ask the session for a directory (LLB, client/llb/source.go and solver/pb/attr.go), for a
 * frontend that would otherwise ask for parts of it, each time anew.
 *
 * @param sessionId of the session, without which the solver would take directories of builds that run at the same
 * time for one
 * @param localName by which the session knows the directory
 * @param name of the step, for people
 */
export function localDefinition(
	sessionId: string,
	localName: string,
	{ followPaths, excludes }: LocalPart,
	name: string,
): Definition {
	const attrs = {
		"local.session": sessionId,
		"local.sharedkeyhint": localName,
		...(followPaths.length > 0 && { "local.followpaths": JSON.stringify(followPaths) }),
		...(excludes.length > 0 && { "local.excludepatterns": JSON.stringify(excludes) }),
	};
	return definitionOf({ source: { identifier: `local://${localName}`, attrs } }, name);
}
