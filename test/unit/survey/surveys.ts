import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { ContextDocument } from "../../../src/survey/context-document.js";
import type { Surveyed } from "../../../src/survey/format/formats.js";
import type { TextStyle } from "../../../src/survey/format/text-style.js";
import { type Survey, surveyContext } from "../../../src/survey/survey.js";
import type { SurveyRequest } from "../../../src/survey/survey-request.js";
import { emptyTree } from "../context/trees.js";

/** A directory with these files in it, by their paths, that is gone after the test. */
export function contextWith(test: TestContext, files: Readonly<Record<string, string>>): string {
	const root = emptyTree(test);
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), content);
	}
	return root;
}

export function surveyOf(
	root: string,
	rules?: string,
	request: Partial<SurveyRequest> = {},
): Promise<Survey> {
	const ignore = { content: Buffer.from(rules ?? ""), file: ".dockerignore" };
	return surveyContext(
		{
			root,
			platform: "linux",
			dockerfile: undefined,
			ignore: rules === undefined ? undefined : ignore,
			keep: ["Dockerfile", ".dockerignore"],
			extra: [],
			target: undefined,
			buildArgs: {},
			linkBitsPerSecond: undefined,
			limits: {},
			judged: true,
			hashesFile: undefined,
			warnings: [],
			earlier: undefined,
			...request,
		},
		() => {},
	);
}

export const PLAIN: TextStyle = {
	color: false,
	width: Number.POSITIVE_INFINITY,
	depth: 3,
	top: 20,
};

/** A document about nothing, but for what is given. */
export function surveyed({
	files = [],
	ignored = [],
	...head
}: Partial<ContextDocument>): Surveyed {
	return {
		head: {
			version: 1,
			context: "/src/app",
			dockerfile: "Dockerfile",
			ignoreFile: ".dockerignore",
			totals: {
				files: 0,
				bytes: 0,
				ignored: { files: 0, bytes: 0, directories: [] },
				compressed: { bytes: 0, sampledBytes: 0 },
			},
			rules: [],
			needs: null,
			advice: [],
			secrets: [],
			...head,
		},
		files,
		ignored,
	};
}

/** With something in every part, and names that would garble a line. */
export const EVERYTHING: Surveyed = surveyed({
	totals: {
		files: 3,
		bytes: 3_000_000,
		ignored: { files: 12, bytes: 5_000_000, directories: ["node_modules"] },
		compressed: { bytes: 1_000_000, sampledBytes: 3_000_000 },
		upload: { bitsPerSecond: 20_000_000, seconds: 0.4 },
	},
	files: [
		{ path: "dist", type: "directory", size: 0, mode: 0o755 },
		{ path: "dist/a|b`<i>_\u009b2J.js", type: "file", size: 2_000_000, mode: 0o644, rule: 1 },
		{ path: "main.go", type: "file", size: 1_000_000, mode: 0o644, neededBy: [0] },
		{ path: "way", type: "symlink", size: 0, mode: 0o777, linkname: "main.go" },
	],
	ignored: [{ path: "node_modules", type: "directory", size: 5_000_000, files: 12, rule: 0 }],
	rules: [
		{ line: 1, text: "node_modules", files: 12, bytes: 5_000_000 },
		{ line: 3, text: "!dist/*|*", files: 1, bytes: 2_000_000 },
		{ line: 4, text: "tmp", files: 0, bytes: 0, doubt: "matches nothing" },
		{ line: 5, text: "var", files: 0, bytes: 0, doubt: "matches nothing" },
		{ line: 8, text: "out", files: 0, bytes: 0, doubt: "matches nothing" },
	],
	needs: {
		instructions: [{ line: 12, text: "COPY main.go .", files: 1, bytes: 1_000_000 }],
		unused: { files: 2, bytes: 2_000_000 },
		doubts: ["the value of $SRC is not known"],
	},
	advice: [
		{
			kind: "build-output",
			text: "dist is made by the build",
			files: 1,
			bytes: 2_000_000,
			paths: ["dist"],
			lines: ["dist"],
		},
		{
			kind: "large-file",
			text: "large: does the image need it?",
			files: 5,
			bytes: 400_000_000,
			paths: ["a b.mp4", "c\n.mp4", "d.mp4", "e.mp4"],
			lines: [],
		},
	],
	secrets: [{ path: "key\n.pem", what: "an OpenSSH private key", line: 2 }],
	unreadable: [{ path: "db", reason: "cannot read db in the build context: permission denied" }],
	exceeded: [
		{
			limit: "max-size",
			allowed: 1_000_000,
			found: 3_000_000,
			largest: [{ path: "main.go", size: 1_000_000 }],
		},
	],
	comparison: {
		file: "before.json",
		before: { files: 2, bytes: 4_000_000 },
		added: { files: 1, bytes: 1_000, largest: [{ path: "way", before: null, after: 1_000 }] },
		grown: { files: 0, bytes: 0, largest: [] },
		shrunk: { files: 0, bytes: 0, largest: [] },
		removed: { files: 12, bytes: -1_001_000, largest: [{ path: "old", before: 9, after: null }] },
	},
});
