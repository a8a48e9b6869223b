import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopbackHost } from "../../../src/target/loopback.js";

test("a host is this machine by its name or address, and not by how its name begins", () => {
	for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1"]) {
		assert.equal(isLoopbackHost(host), true, host);
	}
	for (const host of ["127.example.com", "127.0.0.1.example.com", "localhost.example.com", "::2"]) {
		assert.equal(isLoopbackHost(host), false, host);
	}
});
