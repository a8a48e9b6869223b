import assert from "node:assert/strict";
import { describe, it } from "node:test";
import picocolors from "picocolors";
import { failureLines, warningLines } from "../../../src/render/failure.js";

const plain = picocolors.createColors(false);

describe("a failure", () => {
	const failure = {
		message: "cannot reach x86box: connection refused",
		hint: "is sshd running there, and is the port right?\nname another as user@host:port",
	};

	it("is on one line where that has no end, and each line of its hint, too", () => {
		assert.deepEqual(failureLines(failure, plain, Number.POSITIVE_INFINITY), [
			"error: cannot reach x86box: connection refused",
			"hint: is sshd running there, and is the port right?",
			"hint: name another as user@host:port",
		]);
	});

	it("is broken between its words", () => {
		assert.deepEqual(failureLines(failure, plain, 30), [
			"error: cannot reach x86box:",
			"    connection refused",
			"hint: is sshd running there,",
			"    and is the port right?",
			"hint: name another as",
			"    user@host:port",
		]);
	});

	it("has a command in one piece, to be copied", () => {
		const hint =
			"compare the fingerprint, then run: rbuild hosts trust box --fingerprint SHA256:abc";
		assert.deepEqual(failureLines({ message: "no", hint }, plain, 40), [
			"error: no",
			"hint: compare the fingerprint, then run:",
			"    rbuild hosts trust box --fingerprint SHA256:abc",
		]);
		assert.deepEqual(failureLines({ message: "no", hint }, plain, 90), [
			"error: no",
			`hint: ${hint}`,
		]);
	});

	it("has its label alone in colour", () => {
		const colors = picocolors.createColors(true);
		assert.deepEqual(failureLines({ message: "a b", hint: "c d" }, colors, 8), [
			"\x1b[1m\x1b[31merror:\x1b[39m\x1b[22m a",
			"    b",
			"\x1b[36mhint:\x1b[39m c",
			"    d",
		]);
	});
});

describe("a warning", () => {
	it("is broken between its words, behind its platform", () => {
		const event = { platform: "linux/arm64", message: "the cache is old", hint: "prune it" };
		assert.deepEqual(warningLines(event, plain, 24), [
			"warning: linux/arm64:",
			"    the cache is old",
			"hint: prune it",
		]);
	});
});
