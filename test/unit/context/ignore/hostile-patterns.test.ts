import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IgnoreRules } from "../../../../src/context/ignore/ignore-rules.js";

// A matcher that tries one way after the other does not finish with these in a lifetime.
const LONG_NAME = "a".repeat(4000);
const DEEP_PATH = "a/".repeat(2000);

describe("a hostile pattern gets its answer", () => {
	for (const [pattern, path, ignored] of [
		["*a*a*a*a*a*a*a*[b]", LONG_NAME, false],
		["*a*a*a*a*a*a*a*[b]", `${LONG_NAME}b`, true],
		[`${"*a".repeat(100)}*`, LONG_NAME, true],
		[`${"?*".repeat(500)}?[b]*`, LONG_NAME, false],
		[`${"**/".repeat(50)}[x]`, `${DEEP_PATH}y`, false],
		[`${"**/".repeat(50)}x`, `${DEEP_PATH}x`, true],
		[`${"**/*a*/".repeat(20)}[x]*`, `${DEEP_PATH}y`, false],
		["[^b]{0,200}[^b]{0,200}[^b]{0,200}*[c]", LONG_NAME, false],
		[`*a${"?".repeat(200)}b*`, "ab".repeat(2000), true],
		[`${"a|".repeat(20_000)}*b`, LONG_NAME, true],
	] as const) {
		it(`${pattern.slice(0, 30)} on ${path.length} characters`, () => {
			const rules = IgnoreRules.parse(pattern, "f", "linux");
			assert.equal(rules.match(path, rules.root()).ignored, ignored);
		});
	}

	it("even if it makes a new state for each character", () => {
		const rules = IgnoreRules.parse(`*a${"?".repeat(30)}b*`, "f", "linux");
		let bits = 1;
		const random = Array.from({ length: 20_000 }, () => {
			bits = (bits * 48_271) % 2_147_483_647;
			return bits % 3 === 0 ? "b" : "a";
		}).join("");
		assert.equal(rules.match(random.replaceAll("b", "c"), rules.root()).ignored, false);
		assert.equal(rules.match(random, rules.root()).ignored, true);
	});

	it("or is refused if it repeats too much", () => {
		const rules = IgnoreRules.parse(`*${"?{1000}".repeat(1000)}`, "f", "linux");
		assert.throws(() => rules.match("a", rules.root()), /^ContextError: f:1: /);
	});
});

describe("a huge .dockerignore", () => {
	const paths = Array.from({ length: 200 }, (_, index) => `dir/${index}/name`);

	it("of a megabyte of names is looked up, not tried line by line", () => {
		const content = Array.from({ length: 70_000 }, (_, index) => `dir/${index * 2}/name`).join(
			"\n",
		);
		const rules = IgnoreRules.parse(content, "f", "linux");
		const ignored = paths.filter((path) => rules.match(path, rules.root()).ignored);
		assert.equal(ignored.length, 100);
	});

	it("of a megabyte of wildcards works", () => {
		const content = Array.from({ length: 20_000 }, (_, index) => {
			return `**/generated-by-some-long-named-tool-${index}/*.[ch]`;
		}).join("\n");
		const rules = IgnoreRules.parse(content, "f", "linux");
		const state = rules.match("src/generated-by-some-long-named-tool-19999/x.c", rules.root());
		assert.equal(state.rule?.line, 20_000);
	});

	it("of a megabyte of blanks works", () => {
		const content = `a${`${" ".repeat(60_000)}b\n`.repeat(17)}`;
		assert.equal(IgnoreRules.parse(content, "f", "linux").rules.length, 17);
	});
});
