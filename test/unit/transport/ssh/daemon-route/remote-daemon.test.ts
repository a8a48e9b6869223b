import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
	explainFailedRoutes,
	type FailedRoutes,
	quoted,
	tailOf,
} from "../../../../../src/transport/ssh/daemon-route/remote-daemon.js";

const connection = { place: "x86box (10.0.0.7:22)", user: "ann" };
const socketPath = "/var/run/docker.sock";
const usable = [{ path: socketPath, state: "usable" }] as const;
const denied = [{ path: socketPath, state: "denied" }] as const;
const nothing = { dockerHost: undefined, docker: undefined, podman: undefined };
const docker = { ...nothing, docker: "/usr/bin/docker" };

suite("explainFailure", () => {
	const cases: readonly (readonly [Omit<FailedRoutes, "socketPath">, string, RegExp, RegExp])[] = [
		[
			{ facts: { ...nothing, sockets: [] } },
			"docker-not-installed",
			/docker is not installed there/,
			/install docker/,
		],
		[
			{ facts: { ...docker, sockets: [] } },
			"socket-missing",
			/there is no socket at \/var\/run\/docker.sock/,
			/start the daemon/,
		],
		[
			{ facts: { ...docker, sockets: denied } },
			"socket-permission",
			/user ann may not use/,
			/sudo usermod -aG docker ann/,
		],
		[
			{ facts: { ...docker, sockets: usable } },
			"refused",
			/nothing answers on/,
			/is the daemon running/,
		],
		[
			{ facts: { ...nothing, sockets: usable } },
			"docker-not-installed",
			/no docker command for the other way/,
			/AllowStreamLocalForwarding/,
		],
		[{ facts: undefined }, "unreachable", /cannot run "docker system dial-stdio"/, /a shell/],
		[
			{ facts: undefined, dialStdio: { stderr: "sh: docker: not found", code: 127 } },
			"docker-not-installed",
			/: sh: docker: not found$/,
			/a shell/,
		],
	];
	for (const [routes, failure, message, hint] of cases) {
		test(`tells ${failure} from ${JSON.stringify(routes)}`, () => {
			const error = explainFailedRoutes(connection, { socketPath, ...routes });
			assert.equal(error.failure, failure);
			assert.match(error.message, message);
			assert.match(error.message, /^cannot reach the docker daemon on x86box \(10.0.0.7:22\): /);
			assert.match(error.hint ?? "", hint);
		});
	}
});

suite("tailOf", () => {
	test("keeps the last lines, on one line", () => {
		assert.equal(tailOf("motd\r\none\n\n two \nthree\n"), "one; two; three");
		assert.equal(tailOf(""), "");
		assert.ok(tailOf(`${"x".repeat(10_000)}end`).length <= 4096);
	});
});

suite("quoted", () => {
	test("makes one word of anything", () => {
		assert.equal(quoted("/a b"), "'/a b'");
		assert.equal(quoted("it's $(id)"), `'it'\\''s $(id)'`);
	});
});
