import assert from "node:assert/strict";
import { test } from "node:test";
import { tlsFailure } from "../../../src/transport/tls-failure.js";

const material = { verify: true, warnings: [] };

test("a certificate's names are told on one short line, and that they hide something", () => {
	const told = (subjectaltname: string) => {
		const cert = { subjectaltname } as never;
		const error = Object.assign(new Error("x"), { code: "ERR_TLS_CERT_ALTNAME_INVALID", cert });
		return tlsFailure(error, "box", "box.example", material)?.message;
	};
	const start = "cannot reach box: its certificate is for";
	const end = ", not for box.example";
	assert.equal(told("DNS:box.example\0\u202e\x1b[2K"), `${start} DNS:box.example???[2K${end}`);
	assert.equal(told("x".repeat(1000)), `${start} ${"x".repeat(200)}${end}`);
});
