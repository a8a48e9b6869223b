import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { type LocalPart, localDefinition } from "../../../src/buildkit/local-definition.js";
import { OpSchema } from "../../../src/buildkit/proto/gen/ops_pb.js";

function sourceOf(part: LocalPart) {
	const { def, metadata } = localDefinition("session", "lib-1", part, "load it");
	const [source = assert.fail()] = def;
	const [{ description } = assert.fail()] = Object.values(metadata);
	assert.deepEqual(description, { "llb.customname": "load it" });
	return fromBinary(OpSchema, source).source;
}

test("a directory of the session's is asked for as a whole, or in part", () => {
	const whole = sourceOf({ followPaths: [], excludes: [] });
	assert.equal(whole?.identifier, "local://lib-1");
	assert.deepEqual(whole.attrs, {
		"local.session": "session",
		"local.sharedkeyhint": "lib-1",
	});
	const part = sourceOf({ followPaths: ["a", 'b"c'], excludes: ["*", "!a"] });
	assert.deepEqual(part?.attrs, {
		"local.session": "session",
		"local.sharedkeyhint": "lib-1",
		"local.followpaths": '["a","b\\"c"]',
		"local.excludepatterns": '["*","!a"]',
	});
});
