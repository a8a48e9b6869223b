import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { storedGzip } from "../../../src/buildkit/stored-gzip.js";

describe("a gzip that is only stored", () => {
	it("unpacks to what it was made of, before another gzip too", () => {
		for (const content of [Buffer.of(), Buffer.from("head"), Buffer.alloc(65_535, "x")]) {
			assert.deepEqual(gunzipSync(storedGzip(content)), content);
			const both = Buffer.concat([storedGzip(content), gzipSync("body")]);
			assert.deepEqual(gunzipSync(both), Buffer.concat([content, Buffer.from("body")]));
		}
	});
});
