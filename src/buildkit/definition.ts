import { createHash } from "node:crypto";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
	type Definition,
	DefinitionSchema,
	type InputSchema,
	OpSchema,
} from "./proto/gen/ops_pb.js";

/** How a step is called in the news of a build, in place of what it does (BuildKit client/llb). */
const NAME = "llb.customname";

/**
 * A definition in LLB (solver/pb/ops.proto) of one step that needs nothing but itself.
 *
 * @param name of the step, for people
 */
export function definitionOf(step: MessageInitShape<typeof OpSchema>, name: string): Definition {
	const op = toBinary(OpSchema, create(OpSchema, step));
	const digest = `sha256:${createHash("sha256").update(op).digest("hex")}`;
	const made: MessageInitShape<typeof InputSchema> = { digest, index: 0n };
	const result = toBinary(OpSchema, create(OpSchema, { inputs: [made] }));
	return create(DefinitionSchema, {
		def: [op, result],
		metadata: { [digest]: { description: { [NAME]: name } } },
	});
}
