import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { matchesHost } from "../../../../../src/transport/ssh/config/host-pattern.js";

suite("matchesHost", () => {
	test("takes * and ? as wildcards and everything else as it is", () => {
		assert.equal(matchesHost("box7", ["box?"]), true);
		assert.equal(matchesHost("box", ["box?"]), false);
		assert.equal(matchesHost("a.b.lab", ["*.lab"]), true);
		assert.equal(matchesHost("axlab", ["*.lab"]), false);
		assert.equal(matchesHost("[box]:22", ["[box]:22"]), true);
		assert.equal(matchesHost("b", ["[box]"]), false);
	});

	test("needs one pattern that fits and none negated that fits", () => {
		assert.equal(matchesHost("box", ["lab", "b*"]), true);
		assert.equal(matchesHost("box", ["*", "!box"]), false);
		assert.equal(matchesHost("box", ["!lab"]), false);
		assert.equal(matchesHost("box", []), false);
	});
});
