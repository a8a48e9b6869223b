import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { suggestion } from "../../src/suggestion.js";

describe("what somebody may have meant", () => {
	it("is one edit away from a short word, two from others", () => {
		assert.equal(suggestion("tagg", ["file", "tag"]), "tag");
		assert.equal(suggestion("tg", ["file", "tag"]), "tag");
		assert.equal(suggestion("tx", ["file", "tag"]), undefined);
		assert.equal(suggestion("platfrm", ["file", "platform"]), "platform");
		assert.equal(suggestion("pltfrm", ["file", "platform"]), "platform");
		assert.equal(suggestion("pltfr", ["file", "platform"]), undefined);
		assert.equal(suggestion("tag", []), undefined);
	});

	it("is found where two letters changed places, which is one edit", () => {
		assert.equal(suggestion("tga", ["tls", "tag"]), "tag");
		assert.equal(suggestion("atg", ["tls", "tag"]), "tag");
		assert.equal(suggestion("gat", ["tls", "tag"]), undefined);
		assert.equal(suggestion("mtea", ["meta"]), "meta");
		assert.equal(suggestion("plaftrm", ["platform"]), "platform");
	});
});
