import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readRequestedPart } from "../../../../src/buildkit/file-sync/requested-part.js";
import { GrpcError } from "../../../../src/buildkit/grpc/grpc-status.js";

/** As bytes come out of a header. */
const latin1 = (text: string) => Buffer.from(text).toString("latin1");

describe("what a DiffCopy call asks for", () => {
	it("is a header for each pattern, commas and all", () => {
		const part = readRequestedPart([
			...[":path", "/x", "dir-name", "context", "exclude-patterns", "a, b"],
			...["followpaths", "src", "exclude-patterns", "!c", "include-patterns", "*.go"],
		]);
		assert.deepEqual(part, {
			directory: "context",
			filter: { excludes: ["a, b", "!c"], includes: ["*.go"], followPaths: ["src"] },
		});
	});

	it("may be UTF-8, or any other bytes", () => {
		const { filter } = readRequestedPart([
			...["followpaths", latin1("é\u{1f600}"), "followpaths", "caf\xe9"],
		]);
		assert.deepEqual(filter.followPaths, ["é\u{1f600}", "caf\udce9"]);
	});

	it("may be encoded as in a URL's query, if it says so", () => {
		const { filter } = readRequestedPart([
			...["exclude-patterns", "%C3%A9+a%2Bb", "exclude-patterns-encoded", "1"],
			...["followpaths", "100%+a", "followpaths-encoded", "0"],
		]);
		assert.deepEqual(filter.excludes, ["é a+b"]);
		assert.deepEqual(filter.followPaths, ["100%+a"]);
	});

	it("is refused with a zero byte, or half of an escape", () => {
		for (const value of ["a%00", "a%", "%zz"]) {
			assert.throws(
				() => readRequestedPart(["followpaths", value, "followpaths-encoded", "1"]),
				GrpcError,
			);
		}
	});
});
