import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback } from "../../../../src/image/web/registry-address.js";

test("a registry is on this machine by its host, whatever its port", () => {
	for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"]) {
		assert.equal(isLoopback(host), true, host);
		assert.equal(isLoopback(`${host}:5000`), true, `${host}:5000`);
	}
	const others = ["localhost.example.com", "127.example.com:5000", "[::2]:5000", "docker.io"];
	for (const host of [...others, "[localhost].example.com", "127.0.0.1:x"]) {
		assert.equal(isLoopback(host), false, host);
	}
});
