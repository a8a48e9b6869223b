import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ContextEntry } from "../../../src/context/tree/manifest.js";
import { countNeeds } from "../../../src/survey/count-needs.js";
import { readNeeds } from "../../../src/survey/dockerfile/read-needs.js";

function entry(path: string, size: number, more: Partial<ContextEntry> = {}): ContextEntry {
	return { path, type: "file", size, mode: 0o644, mtimeMs: 0, ...more };
}

const folder = (path: string) => entry(path, 0, { type: "directory" });

const entries = [
	entry("Dockerfile", 1),
	folder("a"),
	entry("a/keep.ts", 10),
	entry("a/skip.md", 100),
	folder("a/sub"),
	entry("a/sub/skip.md", 1000),
	entry("b", 10_000),
	entry("b2", 10_000, { hardlink: "b" }),
];

function count(dockerfile: string) {
	return countNeeds(readNeeds(`FROM scratch\n${dockerfile}`), entries);
}

describe("the counts of what instructions take", () => {
	it("are by instruction, with what nobody takes", () => {
		const { needs, neededBy } = count("COPY a b /x/\nCOPY b2 /y");
		assert.deepEqual(needs, {
			instructions: [
				{ line: 2, text: "COPY a b /x/", files: 4, bytes: 11_110 },
				{ line: 3, text: "COPY b2 /y", files: 1, bytes: 10_000 },
			],
			unused: { files: 1, bytes: 1 },
			doubts: [],
		});
		assert.deepEqual(neededBy, [[], [0], [0], [0], [0], [0], [0], [1]]);
	});

	it("count a file with several names once", () => {
		const [step] = count("COPY b* /x").needs.instructions;
		assert.deepEqual([step?.files, step?.bytes], [2, 10_000]);
	});

	it("leave out what is excluded, relative to what is copied", () => {
		const files = (step: string) => count(step).needs.instructions[0]?.files;
		assert.equal(files("COPY --exclude=*.md a /x"), 2);
		assert.equal(files("COPY --exclude=**/*.md a /x"), 1);
		assert.equal(files("COPY --exclude=sub a /x"), 2);
		assert.equal(files("COPY --exclude=a/sub a /x"), 3);
		assert.equal(files("COPY --exclude=a/sub . /x"), 5);
		assert.equal(files("COPY --parents --exclude=a/sub a /x"), 2);
		assert.equal(files("COPY --parents --exclude=a/sub ./a/./sub /x"), 1);
		assert.equal(files("COPY --parents --exclude=*.md ./a/./sub /x"), 1);
		assert.equal(files("COPY --exclude=[ a /x"), 3);
		assert.equal(files("COPY --exclude=x[b-a] a /x"), 3);
	});

	it("name every taker of a file", () => {
		const { neededBy } = count("COPY a /x\nCOPY a/sub /y\nCOPY . /z");
		assert.deepEqual(neededBy[5], [0, 1, 2]);
		assert.deepEqual(neededBy[2], [0, 2]);
	});
});
