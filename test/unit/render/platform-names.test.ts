import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAbout, newsKey, ofPlatform, stepName } from "../../../src/render/platform-names.js";

const platform = "linux/arm64";

describe("the names of platforms", () => {
	it("stand before a line, and in the brackets of a step as BuildKit puts them", () => {
		assert.equal(ofPlatform({ platform }, "uploading"), "linux/arm64: uploading");
		assert.equal(ofPlatform({}, "uploading"), "uploading");
		assert.equal(stepName({ platform, name: "[2/3] RUN x" }), "[linux/arm64 2/3] RUN x");
		assert.equal(stepName({ platform, name: "exporting" }), "[linux/arm64] exporting");
		assert.equal(stepName({ name: "[2/3] RUN x" }), "[2/3] RUN x");
	});

	it("tell news apart, also those of a box that builds several", () => {
		assert.notEqual(newsKey({ platform }, "upload"), newsKey({}, "upload"));
		assert.ok(isAbout(newsKey({ platform }, "upload"), "linux/amd64,linux/arm64"));
		assert.ok(!isAbout(newsKey({ platform }, "upload"), "linux/arm"));
		assert.ok(isAbout(newsKey({}, "upload"), undefined));
	});
});
