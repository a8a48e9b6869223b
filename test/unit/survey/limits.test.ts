import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ContextEntry } from "../../../src/context/tree/manifest.js";
import { exceededLimits } from "../../../src/survey/limits.js";

const entry = (path: string, size: number, type: ContextEntry["type"] = "file") =>
	({ path, type, size, mode: 0o644, mtimeMs: 0 }) satisfies ContextEntry;

const entries = [entry("a", 0, "directory"), entry("a/x", 30), entry("a/y", 50), entry("b", 10)];
const totals = { files: 3, bytes: 90 };

describe("limits", () => {
	it("are not exceeded by what is just as large", () => {
		assert.deepEqual(exceededLimits({ size: 90, files: 3, fileSize: 50 }, totals, entries), []);
		assert.deepEqual(exceededLimits({}, totals, entries), []);
	});

	it("that are exceeded are told with what does most towards it", () => {
		assert.deepEqual(exceededLimits({ size: 80, files: 2, fileSize: 20 }, totals, entries), [
			{
				limit: "max-size",
				allowed: 80,
				found: 90,
				largest: [
					{ path: "a/y", size: 50 },
					{ path: "a/x", size: 30 },
					{ path: "b", size: 10 },
				],
			},
			{
				limit: "max-files",
				allowed: 2,
				found: 3,
				largest: [
					{ path: "a", size: 2 },
					{ path: ".", size: 1 },
				],
			},
			{
				limit: "max-file-size",
				allowed: 20,
				found: 50,
				largest: [
					{ path: "a/y", size: 50 },
					{ path: "a/x", size: 30 },
				],
			},
		]);
	});

	it("of nothing at all are exceeded by anything", () => {
		const exceeded = exceededLimits({ size: 0, files: 0, fileSize: 0 }, totals, entries);
		assert.equal(exceeded.length, 3);
	});
});
