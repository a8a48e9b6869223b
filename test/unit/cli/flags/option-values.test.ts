import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
	parseBuildArgs,
	parseByteSize,
	parseLabels,
	parseUlimit,
} from "../../../../src/cli/flags/option-values.js";
import { UsageError } from "../../../../src/errors.js";

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

	test("what is no size is refused with the flag's name", () => {
		assert.equal(parseByteSize("64m", "--shm-size"), 64 << 20);
		assert.throws(() => parseByteSize("64q", "--shm-size"), /^UsageError: --shm-size "64q"/);
	});

	test("a limit's hard value is its soft one unless it is given", () => {
		assert.deepEqual(parseUlimit("nofile=1024"), { name: "nofile", soft: 1024, hard: 1024 });
		assert.deepEqual(parseUlimit("core=0:-1"), { name: "core", soft: 0, hard: -1 });
		for (const text of ["nofile", "nofile=", "nofile=a", "nofile=1:2:3", "=1"]) {
			assert.throws(() => parseUlimit(text), UsageError);
		}
	});
});
