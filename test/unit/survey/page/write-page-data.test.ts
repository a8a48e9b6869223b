import assert from "node:assert/strict";
import { test } from "node:test";
import { VERDICTS } from "../../../../src/survey/page/page-data.js";
import { writePageData } from "../../../../src/survey/page/write-page-data.js";
import { documentOf, file } from "../../../support/small-document.js";

const needs = { instructions: [], unused: { files: 0, bytes: 0 }, doubts: [] };

test("makes a tree of the paths, with directories that are not listed, in the order of a walk", () => {
	const files = ["b", "a/é", "a/b/c", "a-b"].map((path) => file(path, 1));
	const { names, depths } = writePageData(documentOf({ files })).nodes;
	assert.deepEqual(names, ["", "a", "b", "c", "é", "a-b", "b"]);
	assert.deepEqual(depths, [0, 1, 2, 3, 2, 1, 1]);
});

test("has one verdict for each path", () => {
	const verdict = (path: string) => {
		const { nodes } = writePageData(
			documentOf({
				files: [
					file("needed", 1, [0]),
					file("unused", 1, []),
					file("sent", 1),
					file("key", 1, [0]),
				],
				ignored: [{ path: "ignored", type: "file", size: 1, files: 1, rule: 0 }],
				secrets: [{ path: "key", what: "a key" }],
				needs,
			}),
		);
		return VERDICTS[nodes.verdicts[nodes.names.indexOf(path)] ?? -1];
	};
	for (const known of ["needed", "unused", "sent", "ignored"]) assert.equal(verdict(known), known);
	assert.equal(verdict("key"), "secret");
});

test("counts an inode once, and what is in an ignored directory where it was not looked into", () => {
	const { names, sizes, files } = writePageData(
		documentOf({
			files: [file("a", 10), { ...file("b", 10), hardlink: "a" }],
			ignored: [
				{ path: "closed", type: "directory", size: 70, files: 7, rule: 0 },
				{ path: "entered", type: "directory", size: 5, files: 1, rule: 0 },
				{ path: "entered/x", type: "file", size: 5, files: 1, rule: 0 },
			],
		}),
	).nodes;
	const rows = names.map((name, node) => [name, sizes[node], files[node]]);
	assert.deepEqual(rows.slice(1), [
		["a", 10, 1],
		["b", 0, 1],
		["closed", 70, 7],
		["entered", 0, 0],
		["x", 5, 1],
	]);
});

test("has each set of instructions once", () => {
	const files = [file("a", 1, [0, 1]), file("b", 1, [0, 1]), file("c", 1, [])];
	const { nodes, needSets } = writePageData(documentOf({ files, needs }));
	assert.deepEqual(needSets, [[0, 1], []]);
	assert.deepEqual(nodes.needs, [-1, 0, 0, 1]);
});
