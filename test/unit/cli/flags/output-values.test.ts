import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { OutputOption } from "../../../../src/build/plan/options.js";
import { csvFields } from "../../../../src/cli/flags/csv-fields.js";
import { parseOutput, parseSave } from "../../../../src/cli/flags/output-values.js";
import { UsageError } from "../../../../src/errors.js";

suite("the value of --output", () => {
	test("is read as docker buildx reads it", () => {
		const values: Record<string, OutputOption> = {
			out: { type: "local", dest: "out" },
			"./a folder": { type: "local", dest: "./a folder" },
			"C:\\out": { type: "local", dest: "C:\\out" },
			// A folder of that name: only what begins with type= is taken apart.
			"dest=out": { type: "local", dest: "dest=out" },
			"-": { type: "tar", dest: "-" },
			"type=local,dest=out": { type: "local", dest: "out", attrs: {} },
			"type=tar": { type: "tar", attrs: {} },
			"dest=a=b, TYPE=tar": { type: "tar", dest: "a=b", attrs: {} },
			'type=image,"name=a,b",push=true': { type: "image", attrs: { name: "a,b", push: "true" } },
			'type=local,"dest=a ""b"", c"': { type: "local", dest: 'a "b", c', attrs: {} },
		};
		for (const [text, option] of Object.entries(values)) {
			assert.deepEqual(parseOutput(text), option, text);
		}
	});

	test("may be the name of a tar", () => {
		assert.deepEqual(parseOutput("dist/app.tar"), { type: "tar", dest: "dist/app.tar" });
	});

	test("is refused where it is neither", () => {
		const refused: Record<string, RegExp> = {
			"a,b": /^--output a,b: "a" has no value/,
			"dest=out,mode=copy": /has no type/,
			"type=,dest=out": /has no type/,
			'type=image,name="a': /an unclosed or misplaced quote/,
			'type=image,"name=a"b': /an unclosed or misplaced quote/,
		};
		for (const [text, message] of Object.entries(refused)) {
			assert.throws(
				() => parseOutput(text),
				(error) => error instanceof UsageError && message.test(error.message),
				text,
			);
		}
	});
});

suite("a line of comma-separated values", () => {
	test("has empty fields where nothing is between commas", () => {
		assert.deepEqual(csvFields(""), [""]);
		assert.deepEqual(csvFields(",a,"), ["", "a", ""]);
		assert.deepEqual(csvFields('"",",",""""'), ["", ",", '"']);
	});
});

suite("the value of --save", () => {
	test("is a file, or a type and a file", () => {
		assert.equal(parseSave("app.tar"), "app.tar");
		assert.equal(parseSave("-"), "-");
		assert.deepEqual(parseSave("type=oci,dest=out"), { type: "oci", dest: "out" });
		assert.deepEqual(parseSave("type=docker,dest=a.tar"), { type: "docker", dest: "a.tar" });
	});

	test("is refused where it makes no sense", () => {
		for (const [text, message] of Object.entries({
			"type=oci": "--save type=oci has no dest",
			"type=oci,dest=": "--save type=oci has no dest",
			"type=zip,dest=a": "--save type=zip is not supported",
			"type=oci,dest=a,x=y": '--save type=oci does not support "x"',
			"type=oci,dest": '--save type=oci,dest: "dest" has no value',
			'type=oci,"dest=a': '--save type=oci,"dest=a has an unclosed or misplaced quote',
			'type=oci,dest="a"': '--save type=oci,dest="a" has an unclosed or misplaced quote',
		})) {
			assert.throws(() => parseSave(text), { name: "UsageError", message });
		}
	});
});
