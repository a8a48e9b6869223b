import type { MessageInitShape } from "@bufbuild/protobuf";
import { definitionOf } from "./definition.js";
import type { Definition, FileActionSchema } from "./proto/gen/ops_pb.js";

/** As the input of a file action: nothing. As its output: none. */
const NONE = -1n;
/** Files have the time at which they are made. */
const NOW = -1n;
const MODE = 0o644;

/**
 * What has BuildKit make a directory (LLB, solver/pb/ops.proto), for a frontend that would otherwise ask the
 * session for one.
 *
 * @param contents by name: the files of the directory itself
 * @param name of the step, for people
 */
export function directoryDefinition(
	contents: ReadonlyMap<string, Uint8Array>,
	name: string,
): Definition {
	const last = contents.size - 1;
	const actions = [...contents].map(
		([path, data], at): MessageInitShape<typeof FileActionSchema> => ({
			// Each is done upon the one before.
			input: BigInt(at) + NONE,
			secondaryInput: NONE,
			output: at === last ? 0n : NONE,
			mkfile: { path: `/${path}`, mode: MODE, data, timestamp: NOW },
		}),
	);
	return definitionOf({ file: { actions } }, name);
}
