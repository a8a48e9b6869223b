import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { IgnoreRules } from "../../../../src/context/ignore/ignore-rules.js";
import { ignoreLine, isIgnoreLine } from "../../../../src/survey/advice/ignore-line.js";

const nameArbitrary = fc
	.string({
		minLength: 1,
		unit: fc.constantFrom(..."ab*?[]\\!#^{}|().+$ \t\n\u00e9\u2028\udc80".split("")),
	})
	.filter((name) => name !== "." && name !== "..");
const pathArbitrary = fc
	.array(nameArbitrary, { minLength: 1, maxLength: 3 })
	.map((names) => names.join("/"));

function rules(line: string): IgnoreRules {
	return IgnoreRules.parse(line, "test", "linux");
}

describe("the line for a path", () => {
	it("is the path, where that has no meaning of its own", () => {
		for (const path of ["a", "a b/c.d", "x|y", "{a}", "ü", "a!b", "a#b"]) {
			assert.equal(ignoreLine(path, "linux"), path);
		}
	});

	it("takes the meaning of what has one", () => {
		assert.equal(ignoreLine("#a", "linux"), "\\#a");
		assert.equal(ignoreLine("!a", "linux"), "\\!a");
		assert.equal(ignoreLine("a*[b]?\\", "linux"), "a\\*\\[b\\]\\?\\\\");
	});

	it("puts a wildcard for what cannot be written", () => {
		assert.equal(ignoreLine("a\nb", "linux"), "a?b");
		assert.equal(ignoreLine(" a ", "linux"), "?a?");
	});

	it("puts one on Windows for all that means something, as nothing takes its meaning there", () => {
		assert.equal(ignoreLine("[id].tsx", "win32"), "?id?.tsx");
		assert.equal(ignoreLine("#a", "win32"), "?a");
		assert.equal(ignoreLine("a b/c.d", "win32"), "a b/c.d");
	});

	it("fits any path, and what is below it", () => {
		fc.assert(
			fc.property(pathArbitrary, (path) => {
				const line = ignoreLine(path, "linux");
				assert.ok(isIgnoreLine(line, "linux"), line);
				assert.ok(rules(line).ignores(path), line);
				assert.ok(rules(line).ignores(`${path}/x`), line);
			}),
			{ numRuns: 500 },
		);
	});

	it("fits no other path, where it has no wildcard", () => {
		fc.assert(
			fc.property(pathArbitrary, pathArbitrary, (path, other) => {
				fc.pre(
					!other.startsWith(path) &&
						!ignoreLine(path, "linux").replaceAll(/\\./g, "").includes("?"),
				);
				assert.ok(!rules(ignoreLine(path, "linux")).ignores(other));
			}),
			{ numRuns: 500 },
		);
	});
});

describe("a line", () => {
	it("is none if docker would not take it for one rule that leaves something out", () => {
		for (const line of ["", "#a", "!a", "[", "a[", "a\nb", "[z-a]"]) {
			assert.equal(isIgnoreLine(line, "linux"), false, line);
		}
	});
});
