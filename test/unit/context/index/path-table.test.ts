import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { PathTable, PathTableWriter } from "../../../../src/context/index/path-table.js";
import { comparePaths } from "../../../../src/context/tree/path-bytes.js";

const WIDTHS = [2, 3];

function tableOf(rows: ReadonlyMap<string, Uint8Array>): Buffer {
	const writer = new PathTableWriter(WIDTHS);
	for (const path of [...rows.keys()].sort(comparePaths))
		writer.add(path, rows.get(path) as Buffer);
	return writer.toBytes();
}

const name = fc.oneof(fc.constantFrom("a", "b", "a-b", "a.b", "é", "\udcff", "😀"), fc.string());
const path = fc
	.array(
		name.filter((text) => text !== "" && !text.includes("/") && !text.includes("\0")),
		{ minLength: 1, maxLength: 4 },
	)
	.map((names) => names.join("/"));
const row = fc.uint8Array({ minLength: 5, maxLength: 5 });
const rowsByPath = fc.array(fc.tuple(path, row)).map((rows) => new Map(rows));

describe("a table of paths", () => {
	it("finds the rows of its paths and of no others, asked for in their order", () => {
		fc.assert(
			fc.property(rowsByPath, fc.array(path), (rows, others) => {
				const table = new PathTable(tableOf(rows), WIDTHS);
				assert.equal(table.count, rows.size);
				const cursor = table.cursor();
				for (const asked of [...new Set([...rows.keys(), ...others])].sort(comparePaths)) {
					const found = cursor.find(asked);
					const actual = found === undefined ? undefined : new Uint8Array(table.row(found));
					assert.deepEqual(actual, rows.get(asked), asked);
				}
			}),
		);
	});

	it("keeps the cells of a column together", () => {
		const rows = new Map([
			["a", Uint8Array.of(1, 2, 3, 4, 5)],
			["b", Uint8Array.of(6, 7, 8, 9, 10)],
		]);
		const table = new PathTable(tableOf(rows), WIDTHS);
		assert.deepEqual([...table.column(0)], [1, 2, 6, 7]);
		assert.deepEqual([...table.column(1)], [3, 4, 5, 8, 9, 10]);
	});

	it("ends where it makes no sense, and never fails in any other way than with a RangeError", () => {
		fc.assert(
			fc.property(rowsByPath, fc.nat(), fc.nat(255), (rows, at, value) => {
				const bytes = tableOf(rows);
				bytes[at % bytes.length] = value;
				try {
					const cursor = new PathTable(bytes, WIDTHS).cursor();
					do cursor.step();
					while (cursor.path !== undefined);
				} catch (error) {
					assert.ok(error instanceof RangeError, String(error));
				}
			}),
		);
		assert.throws(() => new PathTable(Buffer.alloc(4), WIDTHS), RangeError);
		assert.throws(() => new PathTable(Buffer.alloc(9), WIDTHS), RangeError);
	});
});
