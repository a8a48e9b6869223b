import assert from "node:assert/strict";
import { test } from "node:test";
import { refusal } from "../../../../src/image/registry/registry-failure.js";

test("what a registry says is told on one short line, without escape sequences", () => {
	const told = (message: string) => {
		const body = JSON.stringify({ errors: [{ code: "DENIED", message }] });
		const login = { loggedIn: false, withoutSecrets: (text: string) => text };
		return refusal({ status: 403, body, headers: {} }, "ghcr.io", login).message;
	};
	assert.equal(told("no\x1b[2K \r\n  way\u202e\x9b1A"), "denied: no way (403 Forbidden)");
	assert.equal(told("x".repeat(1000)), `denied: ${"x".repeat(292)} (403 Forbidden)`);
});
