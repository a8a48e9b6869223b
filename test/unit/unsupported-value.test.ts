import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { unsupportedValue } from "../../src/unsupported-value.js";

suite("a value that is not supported", () => {
	const said = (...given: Parameters<typeof unsupportedValue>) => {
		const { name, message, hint } = unsupportedValue(...given);
		assert.equal(name, "UsageError");
		return [message, hint];
	};

	test("is told with the values that are", () => {
		assert.deepEqual(said("--via", "pigeon", ["daemon", "client"]), [
			'--via "pigeon" is not supported',
			"use daemon or client",
		]);
		assert.deepEqual(said("--secrets", "", ["warn", "deny", "off"]), [
			'--secrets "" is not supported',
			"use warn, deny or off",
		]);
		assert.deepEqual(said("--x", "many", ["one"])[1], "use one");
	});

	test("is told with the one that was probably meant", () => {
		assert.deepEqual(said("--output type=", "loacl", ["local", "tar"]), [
			"--output type=loacl is not supported",
			"did you mean local?",
		]);
		assert.equal(said("--x", "loacl", ["local"], "a better one")[1], "a better one");
	});
});
