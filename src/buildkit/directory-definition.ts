import { createHash } from "node:crypto";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
	type Definition,
	DefinitionSchema,
	type FileActionSchema,
	type InputSchema,
	OpSchema,
} from "./proto/gen/ops_pb.js";

/** As the input of a file action: nothing. As its output: none. */
const NONE = -1n;
/** Files have the time at which they are made. */
const NOW = -1n;
const MODE = 0o644;

/** How a step is called in the news of a build, in place of what it does (BuildKit client/llb). */
const NAME = "llb.customname";

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
	const make = toBinary(OpSchema, create(OpSchema, { file: { actions } }));
	const digest = `sha256:${createHash("sha256").update(make).digest("hex")}`;
	const made: MessageInitShape<typeof InputSchema> = { digest, index: 0n };
	const result = toBinary(OpSchema, create(OpSchema, { inputs: [made] }));
	return create(DefinitionSchema, {
		def: [make, result],
		metadata: { [digest]: { description: { [NAME]: name } } },
	});
}
