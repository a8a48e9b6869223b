import assert from "node:assert/strict";
import { chownSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { compileProgram } from "../../../../src/cli/process/compiled-program.js";
import { emptyTree } from "../../context/trees.js";

interface Greeter {
	readonly greet: (name: string) => string;
	readonly folder: string;
}

const SOURCE = `
	const { basename } = require("node:path");
	exports.greet = (name) => "hello " + basename(name);
	exports.folder = __dirname;
`;

const programOf = (source: string) =>
	`(function (exports, require, module, __filename, __dirname) {${source}})`;

/** A program in a file of its own, and where its compiled code is kept. */
function project(test: TestContext, source = SOURCE) {
	const folder = emptyTree(test);
	const file = join(folder, "program.cjs");
	const cacheFile = join(folder, "cache", "code");
	writeFileSync(file, programOf(source));
	const start = () => compileProgram<Greeter>(file, cacheFile);
	const keep = async () => {
		const program = start();
		program.exports.greet("anna");
		await program.keep();
	};
	return { folder, file, cacheFile, start, keep };
}

describe("a compiled program", () => {
	it("runs as any CommonJS module does", (test) => {
		const { folder, start } = project(test);
		const { exports, fromCache } = start();
		assert.equal(exports.greet("/a/anna"), "hello anna");
		assert.equal(exports.folder, folder);
		assert.equal(fromCache, false);
	});

	it("is taken from the cache when it was kept, and runs the same", async (test) => {
		const { start, keep } = project(test);
		await keep();
		const { exports, fromCache } = start();
		assert.equal(fromCache, true);
		assert.equal(exports.greet("/a/anna"), "hello anna");
	});

	it("is kept for its user only, in one file", async (test) => {
		const { folder, cacheFile, keep } = project(test);
		await keep();
		await keep();
		assert.deepEqual(readdirSync(join(folder, "cache")), ["code"]);
		if (process.platform !== "win32") assert.equal(statSync(cacheFile).mode & 0o777, 0o600);
	});

	it("is compiled again when its source is another one, even of the same length", async (test) => {
		const { file, start, keep } = project(test);
		await keep();
		writeFileSync(file, programOf(SOURCE.replace("hello", "howdy")));
		const { exports, fromCache } = start();
		assert.equal(fromCache, false);
		assert.equal(exports.greet("anna"), "howdy anna");
	});

	it("is compiled again when what was kept is damaged", async (test) => {
		const { cacheFile, start, keep } = project(test);
		await keep();
		const whole = readFileSync(cacheFile);
		const flipped = Buffer.from(whole);
		flipped[whole.length >> 1] = (whole[whole.length >> 1] ?? 0) ^ 1;
		for (const damaged of [flipped, whole.subarray(0, -1), whole.subarray(0, 5), Buffer.alloc(0)]) {
			writeFileSync(cacheFile, damaged);
			const { exports, fromCache } = start();
			assert.equal(fromCache, false, `${damaged.length} bytes`);
			assert.equal(exports.greet("anna"), "hello anna");
		}
	});

	it("is compiled again when another user kept it", {
		skip: process.getuid?.() !== 0 && "only root can make a file of another user",
	}, async (test) => {
		const { cacheFile, start, keep } = project(test);
		await keep();
		chownSync(cacheFile, 65534, 65534);
		assert.equal(start().fromCache, false);
	});

	it("tells where its errors come from by the lines of its file", (test) => {
		const { start } = project(test, 'exports.greet = () => {\n\tthrow new Error("no");\n};\n');
		const { greet } = start().exports;
		assert.throws(
			() => greet("anna"),
			(error: Error) => /program\.cjs:2:8/.test(error.stack ?? ""),
		);
	});
});
