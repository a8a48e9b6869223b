import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { typedCommand } from "../../../../src/cli/commands.js";

const left = (...argv: string[]) => typedCommand(argv).argv;

suite("a flag with an empty value", () => {
	test("is not there where docker takes it for not given", () => {
		assert.deepEqual(left(".", "--target", "", "-f", "", "--platform="), ["."]);
		assert.deepEqual(left(".", "--secret", "", "--secret", "id=x"), [".", "--secret=id=x"]);
		assert.deepEqual(left("context", "--target", "", "."), ["context", "."]);
	});

	test("stays where docker refuses it, or it is rbuild's own", () => {
		const refused = ["--tag=", "--no-cache-filter=", "--on=", "--save=", "--secrets="];
		assert.deepEqual(left(".", ...refused), [".", ...refused]);
		assert.deepEqual(left("context", "--output="), ["context", "--output="]);
	});
});
