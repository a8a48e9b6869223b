import assert from "node:assert/strict";
import { describe, it } from "node:test";
import picocolors from "picocolors";
import { checkLines } from "../../../../src/cli/doctor/doctor-lines.js";

const key = "SHA256:Qz77sBzuO1rZFsjVLuw2gK9cps5RUYR1XZOa5QqwNIU";
const look = (width: number, isColored = false) => ({
	colors: picocolors.createColors(isColored),
	unicode: true,
	width,
});
const known = { id: "host-key", state: "ok", detail: `ssh-ed25519 ${key}` } as const;
const failed = {
	id: "connection",
	state: "failed",
	detail: "cannot reach labwan: connection refused",
	fix: "is sshd running there, and is the port right?",
} as const;

describe("the lines of a check", () => {
	it("are two where there is no width: what was found and what to do", () => {
		assert.deepEqual(checkLines(failed, look(Number.POSITIVE_INFINITY)), [
			"✘ TCP connection      cannot reach labwan: connection refused",
			"                      → is sshd running there, and is the port right?",
		]);
	});

	it("are wrapped below each other between words", () => {
		assert.deepEqual(checkLines(failed, look(60)), [
			"✘ TCP connection      cannot reach labwan: connection",
			"                      refused",
			"                      → is sshd running there, and is the",
			"                        port right?",
		]);
	});

	it("leave a fingerprint whole", () => {
		assert.deepEqual(checkLines(known, look(80)), [
			"✔ host key            ssh-ed25519",
			`                      ${key}`,
		]);
		assert.deepEqual(checkLines(known, look(60)), [
			"✔ host key            ssh-ed25519",
			`    ${key}`,
		]);
	});

	it("are dim, but for the title, where nothing is known", () => {
		const skipped = { id: "ssh", state: "skipped", detail: "needs TCP connection" } as const;
		assert.deepEqual(checkLines(skipped, look(40, true)), [
			"\x1b[2m-\x1b[22m ssh server          \x1b[2mneeds TCP\x1b[22m",
			"\x1b[2m                      connection\x1b[22m",
		]);
	});
});
