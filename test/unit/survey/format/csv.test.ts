import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatCsv } from "../../../../src/survey/format/csv.js";
import { EVERYTHING, surveyed } from "../surveys.js";

describe("CSV", () => {
	it("has a row for each path, with the line that decided and who takes it", () => {
		assert.equal(
			[...formatCsv(EVERYTHING)].join(""),
			[
				"path,type,bytes,files,verdict,rule,needed by",
				"dist,directory,0,0,sent,,",
				'"""dist/a|b`<i>_\\u009b2J.js""",file,2000000,1,sent,.dockerignore:3,',
				"main.go,file,1000000,1,sent,,Dockerfile:12",
				"way,symlink,0,1,sent,,",
				"node_modules,directory,5000000,12,ignored,.dockerignore:1,",
				"",
			].join("\r\n"),
		);
	});

	it("quotes what would break a row, and starts no formula", () => {
		const paths = ["a,b", 'say "hi"', "two\nlines", "=cmd|'x'!A1", "@types/x", "-rf", "+1"];
		const files = paths.map((path) => ({ path, type: "file" as const, size: 0, mode: 0 }));
		const rows = [...formatCsv(surveyed({ files }))].join("").split("\r\n").slice(1, -1);
		assert.deepEqual(
			rows.map((row) => row.replace(",file,0,1,sent,,", "")),
			[
				'"a,b"',
				'"say ""hi"""',
				'"""two\\nlines"""',
				"./=cmd|'x'!A1",
				"./@types/x",
				"./-rf",
				"./+1",
			],
		);
	});
});
