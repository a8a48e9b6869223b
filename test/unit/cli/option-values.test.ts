import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
	parseBuildArgs,
	parseByteSize,
	parseLabels,
	parseUlimit,
} from "../../../src/cli/option-values.js";
import { UsageError } from "../../../src/errors.js";

suite("option values", () => {
	test("a build argument without a value asks for the environment's", () => {
		assert.deepEqual(parseBuildArgs(["A=1", "B=x=y", "C=", "D"]), {
			A: "1",
			B: "x=y",
			C: "",
			D: null,
		});
	});

	test("the last of several values for a name wins", () => {
		assert.deepEqual(parseBuildArgs(["A=1", "A=2"]), { A: "2" });
	});

	test("a label without a value is an empty one", () => {
		assert.deepEqual(parseLabels(["a.b/c=1", "d"]), { "a.b/c": "1", d: "" });
	});

	test("a pair without a name is refused", () => {
		assert.throws(() => parseBuildArgs(["=x"]), UsageError);
		assert.throws(() => parseLabels([""]), UsageError);
	});

	test("sizes take docker's units, in powers of 1024", () => {
		const sizes = ["1024", "64b", "2k", "64m", "64MB", "1.5g", "1GiB", "2t"];
		assert.deepEqual(
			sizes.map((size) => parseByteSize(size, "--shm-size")),
			[1024, 64, 2048, 64 << 20, 64 << 20, 1.5 * 2 ** 30, 2 ** 30, 2 * 2 ** 40],
		);
	});

	test("what is no size is refused with the flag's name", () => {
		for (const text of ["", "m", "64q", "-1", "1 2", "64mm"]) {
			assert.throws(() => parseByteSize(text, "--shm-size"), /^UsageError: --shm-size "/);
		}
	});

	test("a limit's hard value is its soft one unless it is given", () => {
		assert.deepEqual(parseUlimit("nofile=1024"), { name: "nofile", soft: 1024, hard: 1024 });
		assert.deepEqual(parseUlimit("core=0:-1"), { name: "core", soft: 0, hard: -1 });
		for (const text of ["nofile", "nofile=", "nofile=a", "nofile=1:2:3", "=1"]) {
			assert.throws(() => parseUlimit(text), UsageError);
		}
	});
});
