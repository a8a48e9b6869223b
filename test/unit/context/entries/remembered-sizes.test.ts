import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { measureDirectories } from "../../../../src/context/entries/ignored-sizes.js";
import { RememberedSizes } from "../../../../src/context/entries/remembered-sizes.js";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import { emptyTree } from "../trees.js";

const HOUR = 3600 * 1000;

/** Two files of five bytes below node_modules, and a clock that is long past their times. */
function project(test: TestContext) {
	const root = emptyTree(test);
	const file = join(emptyTree(test), "sizes", "this");
	mkdirSync(join(root, "node_modules/a/lib"), { recursive: true });
	writeFileSync(join(root, "node_modules/a/one"), "12345");
	writeFileSync(join(root, "node_modules/a/lib/two"), "12345");
	const looked: string[] = [];
	const tree = new (class extends SourceTree {
		override names(directory: string) {
			looked.push(directory);
			return super.names(directory);
		}
	})(root, "linux");
	const measure = (now = Date.now() + HOUR) => {
		looked.length = 0;
		const remembered = new RememberedSizes(tree, file, now);
		const sizes = measureDirectories(["node_modules"], (path) => remembered.contentOf(path));
		remembered.keep();
		return sizes;
	};
	return { root, file, looked, measure };
}

describe("the sizes of ignored directories", () => {
	it("are measured once, and then known without a look into any of them", (test) => {
		const { looked, measure } = project(test);
		assert.deepEqual(measure(), { files: 2, bytes: 10 });
		assert.deepEqual(looked, ["node_modules", "node_modules/a", "node_modules/a/lib"]);
		assert.deepEqual(measure(), { files: 2, bytes: 10 });
		assert.deepEqual(looked, []);
	});

	it("are measured again where something came or went", (test) => {
		const { root, looked, measure } = project(test);
		measure();
		writeFileSync(join(root, "node_modules/a/lib/three"), "123");
		assert.deepEqual(measure(), { files: 3, bytes: 13 });
		assert.deepEqual(looked, ["node_modules/a/lib"]);
		rmSync(join(root, "node_modules/a/lib"), { recursive: true });
		assert.deepEqual(measure(), { files: 1, bytes: 5 });
		mkdirSync(join(root, "node_modules/b/deep"), { recursive: true });
		writeFileSync(join(root, "node_modules/b/deep/four"), "1");
		assert.deepEqual(measure(), { files: 2, bytes: 6 });
	});

	it("are measured again after a day, whatever their directories say", (test) => {
		const { root, measure } = project(test);
		const now = Date.now() + HOUR;
		measure(now);
		writeFileSync(join(root, "node_modules/a/one"), "1234567890");
		assert.deepEqual(measure(now + 23 * HOUR), { files: 2, bytes: 10 });
		assert.deepEqual(measure(now + 25 * HOUR), { files: 2, bytes: 15 });
	});

	it("are not known of a directory that has only just changed", (test) => {
		const { looked, measure } = project(test);
		measure(Date.now());
		measure(Date.now());
		assert.deepEqual(looked, ["node_modules", "node_modules/a", "node_modules/a/lib"]);
	});

	it("are not known of a directory that another one took the place of", (test) => {
		const { root, measure } = project(test);
		measure();
		rmSync(join(root, "node_modules/a/lib"), { recursive: true });
		mkdirSync(join(root, "node_modules/a/lib"));
		utimesSync(join(root, "node_modules/a/lib"), 1, 1);
		assert.deepEqual(measure(), { files: 1, bytes: 5 });
	});

	it("are measured where what was kept cannot be read, or was kept in the future", (test) => {
		const { file, measure } = project(test);
		measure();
		const kept = JSON.parse(readFileSync(file, "utf8"));
		const odd = [
			"",
			"{}",
			"[]",
			"null",
			'{"since":1,"rows":null}',
			JSON.stringify({ ...kept, rows: { ...kept.rows, "node_modules/a": ["1", 2] } }),
			JSON.stringify({ ...kept, since: Date.now() + 100 * HOUR }),
		];
		for (const text of odd) {
			writeFileSync(file, text);
			assert.deepEqual(measure(), { files: 2, bytes: 10 }, text);
		}
	});

	it("need no place to be kept in", (test) => {
		const { root } = project(test);
		const file = join(root, "node_modules/a/one/no-folder");
		const remembered = new RememberedSizes(new SourceTree(root, "linux"), file);
		measureDirectories(["node_modules"], (path) => remembered.contentOf(path));
		remembered.keep();
		assert.equal(existsSync(file), false);
	});
});
