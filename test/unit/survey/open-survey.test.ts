import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InterruptedError } from "../../../src/errors.js";
import { openSurvey, type SurveyOptions } from "../../../src/survey/open-survey.js";
import { contextWith, PLAIN } from "./surveys.js";

const options = (directory: string): SurveyOptions => ({
	directory,
	file: undefined,
	workingDirectory: directory,
	platform: process.platform,
	target: undefined,
	buildArgs: {},
	linkBitsPerSecond: undefined,
	limits: {},
	compareWith: undefined,
	readStdin: async () => Buffer.alloc(0),
	onProgress: () => {},
});

const never = new AbortController().signal;

describe("a survey in its worker", () => {
	it("hands over its document, text in parts, and verdicts", async (test) => {
		const names = Array.from({ length: 3_000 }, (_, index) => `a file with a long name ${index}`);
		const files = Object.fromEntries(names.map((name) => [name, ""]));
		const root = contextWith(test, { ...files, Dockerfile: "FROM scratch" });
		await using survey = await openSurvey(options(root), never);
		assert.equal((await survey.head).totals.files, 3_001);
		const parts: string[] = [];
		for await (const part of survey.text("json", PLAIN)) parts.push(part);
		assert.ok(parts.length > 1);
		assert.equal(JSON.parse(parts.join("")).files.length, 3_001);
		const [verdict] = await survey.verdicts(["Dockerfile"]);
		assert.equal(verdict?.kind, "sent");
	});

	it("begins a text anew when that is asked for", async (test) => {
		await using survey = await openSurvey(options(contextWith(test, { a: "" })), never);
		for await (const _part of survey.text("csv", PLAIN)) break;
		const parts: string[] = [];
		for await (const part of survey.text("csv", PLAIN)) parts.push(part);
		assert.match(parts.join(""), /^path,.*\r\na,file,0,1,sent,,\r\n$/);
	});

	it("warns of a Dockerfile that is not there, and has its ignore file all the same", async (test) => {
		const root = contextWith(test, { a: "", b: "", "Prod.dockerignore": "a" });
		await using survey = await openSurvey({ ...options(root), file: "Prod" }, never);
		const { dockerfile, ignoreFile, totals, warnings } = await survey.head;
		assert.deepEqual(warnings, ["the Dockerfile Prod does not exist"]);
		assert.equal(dockerfile, null);
		assert.equal(ignoreFile, "Prod.dockerignore");
		assert.equal(totals.files, 2);
	});

	it("fails with the line of the ignore file that is wrong", async (test) => {
		const root = contextWith(test, { Dockerfile: "FROM scratch", ".dockerignore": "a\n[b" });
		await using survey = await openSurvey(options(root), never);
		await assert.rejects(survey.head, {
			name: "ContextError",
			message: ".dockerignore:2: syntax error in the pattern [b",
		});
		await assert.rejects(survey.verdicts(["a"]), { name: "ContextError" });
	});

	it("stops when it is interrupted", async (test) => {
		const controller = new AbortController();
		await using survey = await openSurvey(options(contextWith(test, {})), controller.signal);
		controller.abort(new InterruptedError("interrupted"));
		await assert.rejects(survey.head, { name: "InterruptedError" });
	});
});
