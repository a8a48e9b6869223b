import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { diffLines, fixIgnoreFile } from "../../../../src/survey/advice/ignore-file-fix.js";

function fixed(content: string | undefined, ...lines: readonly string[]): string | undefined {
	const before = content === undefined ? undefined : Buffer.from(content, "latin1");
	return fixIgnoreFile(before, [{ lines }])?.after.toString("latin1");
}

describe("a fixed ignore file", () => {
	it("has the new lines behind all that was there", () => {
		assert.equal(fixed("# mine\n\n*.md\n!a.md\n", "x", "y"), "# mine\n\n*.md\n!a.md\nx\ny\n");
	});

	it("keeps its ends of lines, the missing last one too", () => {
		assert.equal(fixed("a\r\nb\r\n", "x", "y"), "a\r\nb\r\nx\r\ny\r\n");
		assert.equal(fixed("a\r\nb", "x", "y"), "a\r\nb\r\nx\r\ny");
		assert.equal(fixed("a", "x"), "a\nx");
	});

	it("keeps bytes that are no text", () => {
		assert.equal(fixed("\xff\xfe\n", "x"), "\xff\xfe\nx\n");
		assert.equal(fixed("", "\udcff"), "\xff\n");
	});

	it("is made where there was none", () => {
		assert.equal(fixed(undefined, "x"), "x\n");
		assert.equal(fixed("", "x"), "x\n");
	});

	it("has each line once", () => {
		assert.equal(
			fixIgnoreFile(undefined, [{ lines: ["a", "b"] }, { lines: ["b"] }])?.after.toString(),
			"a\nb\n",
		);
	});

	it("is not needed where advice has no lines", () => {
		assert.equal(fixed("a\n"), undefined);
	});

	it("is shown as the difference", () => {
		const diff = (content: string | undefined) => {
			const fix = fixIgnoreFile(content === undefined ? undefined : Buffer.from(content), [
				{ lines: ["x", "y"] },
			]);
			assert.ok(fix);
			return diffLines(fix, ".dockerignore");
		};
		assert.deepEqual(diff("1\n2\n3\n4\r\n"), [
			"--- .dockerignore",
			"+++ .dockerignore",
			"@@ -2,3 +2,5 @@",
			" 2",
			" 3",
			" 4",
			"+x",
			"+y",
		]);
		assert.deepEqual(diff(undefined), [
			"--- /dev/null",
			"+++ .dockerignore",
			"@@ -0,0 +1,2 @@",
			"+x",
			"+y",
		]);
	});
});
