import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopbackHost } from "../../../src/target/loopback.js";

test("a host is this machine by its name or address, and not by how its name begins", () => {
	const addresses = ["127.0.0.1", "127.1.2.3", "127.1", "::1", "::ffff:127.0.0.1"];
	for (const host of ["localhost", "LOCALHOST", ...addresses]) {
		assert.equal(isLoopbackHost(host), true, host);
	}
	for (const host of [
		"127.example.com",
		"127.1.example.com",
		"127.0.0.1:80",
		"10.127.0.0.1",
		"127.0.0.1.example.com",
		"localhost.example.com",
		"::2",
	]) {
		assert.equal(isLoopbackHost(host), false, host);
	}
});
