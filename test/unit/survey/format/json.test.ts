import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { formatJson } from "../../../../src/survey/format/json.js";
import { findsAtOdds, type JsonSchema } from "../../../support/json-schema.js";
import { contextWith, EVERYTHING, surveyed, surveyOf } from "../surveys.js";

const schemaFile = fileURLToPath(
	new URL("../../../../../docs/context.schema.json", import.meta.url),
);
const schema: JsonSchema = JSON.parse(readFileSync(schemaFile, "utf8"));

const documentOf = (survey: Parameters<typeof formatJson>[0]) =>
	JSON.parse([...formatJson(survey)].join(""));

describe("the JSON document", () => {
	it("is what its schema says, and has nothing that this does not say", async (test) => {
		const root = contextWith(test, {
			"a/b": "12",
			"a/keep": "1",
			"node_modules/x": "123",
			"earlier.json": "",
		});
		const rules = "node_modules\na\n!a/keep\nnothing";
		const survey = await surveyOf(root, rules, {
			linkBitsPerSecond: 1000,
			limits: { size: 0, files: 0, fileSize: 0 },
			warnings: ["no Dockerfile"],
		});
		const found = documentOf(survey);
		assert.deepEqual(findsAtOdds(schema, found), []);
		assert.deepEqual(findsAtOdds(schema, documentOf(EVERYTHING)), []);
		assert.deepEqual(findsAtOdds(schema, documentOf(surveyed({}))), []);
	});

	it("of another shape is at odds with the schema", () => {
		const sound = documentOf(EVERYTHING);
		const { totals: _totals, ...without } = sound;
		assert.deepEqual(findsAtOdds(schema, without), ["totals is missing"]);
		assert.deepEqual(findsAtOdds(schema, { ...sound, version: 2 }), ["version is not 1"]);
		const unknown = { ...sound, files: [{ ...sound.files[0], colour: "red" }] };
		assert.deepEqual(findsAtOdds(schema, unknown), ["files.0.colour is not described"]);
	});

	it("has a line for each path, in the encoding of the tar's names", () => {
		const files = ["a\nb", "\udcff"].map((path) => {
			return { path, type: "file" as const, size: 1, mode: 0o644 };
		});
		const text = [...formatJson(surveyed({ files }))].join("");
		const lines = text.split("\n");
		assert.equal(lines[1], '{"path":"a\\nb","type":"file","size":1,"mode":420},');
		assert.equal(lines[2], '{"path":"\\udcff","type":"file","size":1,"mode":420}');
		assert.equal(JSON.parse(text).files[1].path, "\udcff");
	});

	it("escapes what a terminal would obey, and keeps the path", () => {
		const path = "a\u009b2J\u202egnp.b";
		const files = [{ path, type: "file" as const, size: 1, mode: 0o644 }];
		const text = [...formatJson(surveyed({ files }))].join("");
		assert.match(text, /"path":"a\\u009b2J\\u202egnp\.b"/);
		assert.equal(JSON.parse(text).files[0].path, path);
	});
});
