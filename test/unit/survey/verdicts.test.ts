import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { describeVerdict } from "../../../src/survey/format/verdict-text.js";
import { verdictOn } from "../../../src/survey/verdicts.js";
import { posixOnly } from "../../support/this-system.js";
import { contextWith, surveyOf } from "./surveys.js";

describe("a verdict", () => {
	const rules = "node_modules\ndist\n!dist/keep.js\n*.md\nDockerfile\n";

	it("names the line that decides", async (test) => {
		const root = contextWith(test, {
			Dockerfile: "FROM scratch",
			"README.md": "read",
			"dist/keep.js": "12345",
			"dist/drop.js": "123",
			"node_modules/a/b.js": "1",
			"src/main.ts": "1234567",
		});
		const survey = await surveyOf(root, rules);
		const why = (path: string) => describeVerdict(verdictOn(path, survey), survey.head);
		assert.equal(why("src/main.ts"), "src/main.ts: included: no rule leaves it out");
		assert.equal(why("src"), "src: included (1 file, 7 B): no rule leaves it out");
		assert.equal(why("README.md"), "README.md: ignored by .dockerignore:4 *.md");
		assert.equal(why("dist/keep.js"), "dist/keep.js: included by .dockerignore:3 !dist/keep.js");
		assert.equal(why("dist/drop.js"), "dist/drop.js: ignored by .dockerignore:2 dist");
		assert.equal(
			why("dist"),
			"dist: included for what is in it (1 file, 5 B, and 1 file, 3 B ignored); else ignored by .dockerignore:2 dist",
		);
		assert.equal(why("node_modules"), "node_modules: ignored by .dockerignore:1 node_modules");
		assert.equal(
			why("node_modules/a/b.js"),
			"node_modules/a/b.js: never seen, as node_modules/ is not entered: ignored by .dockerignore:1 node_modules",
		);
		assert.equal(
			why("Dockerfile"),
			"Dockerfile: included: the build needs it, whatever the rules say",
		);
		assert.equal(why("nope"), "nope: not there");
		assert.equal(why("src/main.ts/x"), "src/main.ts/x: not there");
		for (const outside of ["..", "../etc", "../../etc/hostname"]) {
			assert.equal(why(outside), `${outside}: not there`);
		}
		assert.equal(
			why(""),
			".: included (3 files, 24 B, and 3 files, 8 B ignored): no rule leaves it out",
		);
	});

	it("does not follow links, and knows what cannot be sent", { skip: posixOnly }, async (test) => {
		const root = contextWith(test, { "real/file": "" });
		symlinkSync("real", join(root, "link"));
		const server = createServer().listen(join(root, "socket"));
		test.after(() => server.close());
		const survey = await surveyOf(root);
		const why = (path: string) => describeVerdict(verdictOn(path, survey), survey.head);
		assert.equal(why("link"), "link: included: no rule leaves it out");
		assert.equal(why("link/file"), "link/file: not sent, as link is a link, which is not followed");
		assert.equal(why("socket"), "socket: not sent, as no archive holds a socket");
	});

	it("names who needs a path, where that is known", async (test) => {
		const root = contextWith(test, { "src/a": "1", "src/b": "2", c: "3" });
		const { head, walked, ignored, ...survey } = await surveyOf(root);
		const takers: Readonly<Record<string, readonly number[]>> = { "src/a": [1], "src/b": [0, 1] };
		const files = [...survey.files].map((file) => ({ ...file, neededBy: takers[file.path] ?? [] }));
		const instructions = ["COPY src/b .", "COPY src ."].map((text, index) => {
			return { line: index + 7, text, files: 1, bytes: 1 };
		});
		const needs = { instructions, unused: { files: 1, bytes: 1 }, doubts: [] };
		const known = { head: { ...head, dockerfile: "Dockerfile", needs }, files, walked, ignored };
		const why = (path: string) => describeVerdict(verdictOn(path, known), known.head);
		assert.equal(
			why("src/a"),
			"src/a: included: no rule leaves it out\n  needed by Dockerfile:8 COPY src .",
		);
		assert.equal(
			why("src"),
			"src: included (2 files, 2 B): no rule leaves it out\n  needed by Dockerfile:7 COPY src/b .\n  needed by Dockerfile:8 COPY src .",
		);
		assert.equal(why("c"), "c: included: no rule leaves it out\n  needed by no instruction");
	});
});
