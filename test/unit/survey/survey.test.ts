import assert from "node:assert/strict";
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { noPermissions, noSymlinks } from "../../support/this-system.js";
import { asNobody } from "../context/nobody.js";
import { contextWith, surveyOf } from "./surveys.js";

describe("a survey", () => {
	it("counts what would be sent and what would not, with all that is in directories", async (test) => {
		const root = contextWith(test, {
			"src/a.ts": "12345",
			"node_modules/x/y.js": "123",
			"node_modules/z.js": "1",
			"debug.log": "12",
		});
		linkSync(join(root, "src/a.ts"), join(root, "src/b.ts"));
		const { head, files, ignored } = await surveyOf(root, "node_modules\n*.log");
		assert.equal(head.totals.files, 2);
		assert.equal(head.totals.bytes, 5);
		assert.deepEqual(head.totals.ignored, { files: 3, bytes: 6, directories: ["node_modules"] });
		assert.deepEqual(
			[...files].map(({ path, hardlink }) => [path, hardlink]),
			[
				["src", undefined],
				["src/a.ts", undefined],
				["src/b.ts", "src/a.ts"],
			],
		);
		assert.deepEqual(ignored, [
			{ path: "debug.log", type: "file", size: 2, files: 1, rule: 1 },
			{ path: "node_modules", type: "directory", size: 4, files: 2, rule: 0 },
		]);
	});

	it("tells what each rule decided, and which one sends a path", async (test) => {
		const root = contextWith(test, { "dist/a.js": "1", "dist/b.css": "12", "dist/c.css": "1234" });
		const { head, files } = await surveyOf(root, "# output\ndist\n\n!dist/b.css\n!dist/c.css");
		assert.deepEqual(head.rules, [
			{ line: 2, text: "dist", files: 1, bytes: 1 },
			{ line: 4, text: "!dist/b.css", files: 1, bytes: 2 },
			{ line: 5, text: "!dist/c.css", files: 1, bytes: 4 },
		]);
		assert.deepEqual(
			[...files].map(({ path, rule }) => [path, rule]),
			[
				["dist", undefined],
				["dist/b.css", 1],
				["dist/c.css", 2],
			],
		);
	});

	it("has what is sent in place of a file of the directory", async (test) => {
		const root = contextWith(test, { ".dockerignore": "x" });
		const content = Buffer.from("FROM scratch");
		const { head, files } = await surveyOf(root, "", {
			extra: [{ path: ".dockerignore", content }],
		});
		assert.deepEqual(
			[...files].map(({ path, size }) => [path, size]),
			[[".dockerignore", 12]],
		);
		assert.equal(head.totals.bytes, 12);
	});

	it("goes on where something cannot be read, and names it", {
		skip: noPermissions,
	}, async (test) => {
		const root = contextWith(test, { "a/b": "", key: "secret", open: "" });
		chmodSync(join(root, "a"), 0);
		chmodSync(join(root, "key"), 0);
		let surveying: ReturnType<typeof surveyOf> | undefined;
		asNobody(root, () => {
			surveying = surveyOf(root);
		});
		const { head } = await (surveying as ReturnType<typeof surveyOf>);
		assert.deepEqual(head.unreadable, [
			{ path: "a", reason: "cannot read a in the build context: permission denied" },
			{ path: "key", reason: "cannot read key in the build context: permission denied" },
		]);
		assert.equal(head.totals.files, 2);
	});

	it("comes to an end where links go round in a circle", { skip: noSymlinks }, async (test) => {
		const root = contextWith(test, { a: "" });
		symlinkSync("two", join(root, "one"));
		symlinkSync("one", join(root, "two"));
		mkdirSync(join(root, "d"));
		symlinkSync("..", join(root, "d/up"));
		const { head } = await surveyOf(root);
		assert.equal(head.totals.files, 4);
		assert.equal(head.unreadable, undefined);
	});

	it("estimates the time of the upload from the compressed size", async (test) => {
		const root = contextWith(test, { a: "a".repeat(100_000) });
		const { head } = await surveyOf(root, undefined, { linkBitsPerSecond: 8_000 });
		const { compressed, upload } = head.totals;
		assert.ok(compressed.bytes > 0 && compressed.bytes < 2_000, String(compressed.bytes));
		assert.deepEqual(upload, { bitsPerSecond: 8_000, seconds: compressed.bytes / 1_000 });
	});

	it("is the same for the same directory", async (test) => {
		const root = contextWith(test, { "a/b": "1", c: "2" });
		writeFileSync(join(root, "d"), Buffer.alloc(300_000, "abc"));
		const [first, second] = [await surveyOf(root, "c"), await surveyOf(root, "c")];
		assert.deepEqual(first.head, second.head);
		assert.deepEqual([...first.files], [...second.files]);
	});
});
