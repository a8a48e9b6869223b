import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { directoryDefinition } from "../../../src/buildkit/directory-definition.js";
import { OpSchema } from "../../../src/buildkit/proto/gen/ops_pb.js";

function op(bytes: Uint8Array | undefined) {
	return fromBinary(OpSchema, bytes ?? assert.fail("no such op"));
}

suite("the definition of a directory", () => {
	const contents = new Map(
		["Dockerfile", "Dockerfile.dockerignore", "third"].map((name) => [name, Buffer.from(name)]),
	);
	const { def, metadata } = directoryDefinition(contents, "load it");

	test("makes one file after the other in an empty directory, and has what the last one leaves", () => {
		const { inputs, file } = op(def[0]);
		assert.deepEqual(inputs, []);
		assert.deepEqual(
			file?.actions.map(({ input, secondaryInput, output, mkfile }) => [
				...[input, secondaryInput, output].map(Number),
				mkfile?.path,
				Buffer.from(mkfile?.data ?? "").toString(),
			]),
			[
				[-1, -1, -1, "/Dockerfile", "Dockerfile"],
				[0, -1, -1, "/Dockerfile.dockerignore", "Dockerfile.dockerignore"],
				[1, -1, 0, "/third", "third"],
			],
		);
	});

	test("ends with what it stands for, which is known by its digest and has a name", () => {
		assert.equal(def.length, 2);
		const digest = `sha256:${createHash("sha256")
			.update(def[0] ?? "")
			.digest("hex")}`;
		const { inputs, file } = op(def[1]);
		assert.deepEqual(
			inputs.map(({ digest, index }) => [digest, Number(index)]),
			[[digest, 0]],
		);
		assert.equal(file, undefined);
		assert.deepEqual(Object.keys(metadata), [digest]);
		assert.deepEqual(metadata[digest]?.description, { "llb.customname": "load it" });
	});
});
