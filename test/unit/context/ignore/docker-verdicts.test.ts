import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { IgnoreRules } from "../../../../src/context/ignore/ignore-rules.js";
import { ContextError } from "../../../../src/errors.js";
import { sentPaths } from "./sent-paths.js";

/** See "note" in the file for the fields and for how it was made. */
interface Recording {
	readonly trees: Readonly<Record<string, readonly string[]>>;
	readonly cases: readonly RecordedCase[];
}

interface RecordedCase {
	readonly content: string;
	readonly tree: string | readonly string[];
	readonly sent?: readonly string[];
	readonly error?: string;
}

const recording: Recording = JSON.parse(readFileSync("fixtures/dockerignore/cases.json", "utf8"));

describe("a tree is sent as BuildKit sends it, with the .dockerignore", () => {
	for (const { content, tree, sent, error } of recording.cases) {
		const paths = typeof tree === "string" ? (recording.trees[tree] ?? []) : tree;
		it(JSON.stringify(content), () => {
			const send = () => sentPaths(IgnoreRules.parse(content, ".dockerignore", "linux"), paths);
			if (error === undefined) assert.deepEqual(send(), sent);
			else assert.throws(send, ContextError);
		});
	}
});
