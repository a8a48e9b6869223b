import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { posixOnly } from "../../support/this-system.js";
import { contextWith, surveyOf } from "./surveys.js";

/** The doubts about rules, by their lines. */
async function doubts(
	test: TestContext,
	paths: readonly string[],
	rules: readonly string[],
): Promise<Record<number, string>> {
	const root = contextWith(test, Object.fromEntries(paths.map((path) => [path, "x"])));
	const { head } = await surveyOf(root, rules.join("\n"));
	return Object.fromEntries(
		head.rules.flatMap(({ line, doubt }) => (doubt === undefined ? [] : [[line, doubt]])),
	);
}

describe("a rule without a slash", () => {
	it("is doubtful if git would leave out more by it", async (test) => {
		const paths = ["node_modules/a", "web/node_modules/b", "web/node_modules/c/d", "web/x.log"];
		assert.deepEqual(await doubts(test, paths, ["node_modules", "*.log"]), {
			1: "fits at the top level only, and 2 files further down are sent: did you mean **/node_modules?",
			2: "fits at the top level only, and 1 file further down is sent: did you mean **/*.log?",
		});
	});

	it("is not if there is nothing of that name further down, or a later rule sends it", async (test) => {
		const paths = ["a.log", "web/a.log", "web/b.md", "c.md"];
		assert.deepEqual(await doubts(test, paths, ["*.log", "c.md", "!web/*.log", "web/*.log"]), {
			3: "comes too early: line 4 leaves out again what it fits",
		});
		const sentOnPurpose = ["*", "!web", "!c.md"];
		assert.deepEqual(await doubts(test, paths, sentOnPurpose), {});
	});

	it("is not if it is written for the top level", async (test) => {
		assert.deepEqual(await doubts(test, ["out/a", "web/out/b"], ["/out"]), {});
		assert.deepEqual(await doubts(test, ["out/a", "web/out/b"], ["./out/"]), {});
	});

	it("is doubtful if git would send more by it", async (test) => {
		const paths = ["README.md", "docs/README.md", "docs/x.md"];
		assert.deepEqual(await doubts(test, paths, ["**/*.md", "!README.md"]), {
			2: "fits at the top level only, and 1 file further down is left out: did you mean !**/README.md?",
		});
	});
});

describe("a rule that decides nothing", () => {
	it("matches nothing, and the reason is told where it can be seen", {
		skip: posixOnly,
	}, async (test) => {
		assert.deepEqual(await doubts(test, ["a", "b"], ["c", "a # not b", "d\\.e"]), {
			1: "matches nothing",
			2: "matches nothing: a comment has to be on a line of its own",
			3: "matches nothing: folders are separated by /, and \\ takes away the meaning of what follows",
		});
	});

	it("is overruled by a later one", async (test) => {
		assert.deepEqual(
			await doubts(test, ["a.log", "Dockerfile"], ["a.log", "!*.log", "Dockerfile"]),
			{
				1: "has no effect: line 2 comes later and decides otherwise for all that it fits",
				3: "has no effect: what it fits is always sent, as the build needs it",
			},
		);
	});

	it("comes before the line that it is an exception to", async (test) => {
		assert.deepEqual(await doubts(test, ["a.log", "b.log"], ["!a.log", "*.log"]), {
			1: "comes too early: line 2 leaves out again what it fits",
		});
	});

	it("says what another line has said", async (test) => {
		const rules = ["out", "out/tmp", "*.log", "**/a.log", "!src"];
		assert.deepEqual(await doubts(test, ["out/tmp/x", "a.log", "src/y"], rules), {
			2: "has no effect: out is left out as a whole by line 1",
			4: "has no effect: all that it fits is left out by other lines",
			5: "has no effect: nothing that it fits was left out by a line before it",
		});
	});

	it("is not tried where it is broken in a way that only a trial shows", async (test) => {
		assert.deepEqual(await doubts(test, ["a"], ["*", "x[b-a]"]), { 2: "matches nothing" });
	});
});

describe("a slash at the end", () => {
	it("is doubtful where a file is left out by it", async (test) => {
		assert.deepEqual(await doubts(test, ["build", "out/a"], ["build/", "out/"]), {
			1: "leaves out a file: the slash at its end does not mean folders only",
		});
	});
});

describe("rules that do their work", () => {
	it("have no doubts", async (test) => {
		const paths = ["a/b.log", "c/d", "dist/x", "dist/y", "e/f/g"];
		assert.deepEqual(await doubts(test, paths, ["**/*.log", "c", "dist", "!dist/y", "e/f/"]), {});
	});
});
