import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { UsageError } from "../../../src/errors.js";
import { formatTarget, parseTarget } from "../../../src/target/parse-target.js";
import type { Target } from "../../../src/target/target.js";

const readings: readonly (readonly [text: string, target: Target])[] = [
	["x86box", { kind: "ssh", host: "x86box" }],
	["ann@x86box", { kind: "ssh", host: "x86box", user: "ann" }],
	["ann@10.0.0.7:2222", { kind: "ssh", host: "10.0.0.7", user: "ann", port: 2222 }],
	["box:2222", { kind: "ssh", host: "box", port: 2222 }],
	["ann@corp@box", { kind: "ssh", host: "box", user: "ann@corp" }],
	["ann@[fe80::1]:2222", { kind: "ssh", host: "fe80::1", user: "ann", port: 2222 }],
	["[::1]", { kind: "ssh", host: "::1" }],
	["fe80::1", { kind: "ssh", host: "fe80::1" }],
	["ssh://box", { kind: "ssh", host: "box" }],
	["ssh://box/", { kind: "ssh", host: "box" }],
	["SSH://box", { kind: "ssh", host: "box" }],
	[
		"ssh://ann@box:2222/run/user/1000/docker.sock",
		{ kind: "ssh", host: "box", user: "ann", port: 2222, socketPath: "/run/user/1000/docker.sock" },
	],
	["ssh://an%40n@box", { kind: "ssh", host: "box", user: "an@n" }],
	["ssh://box/a%20b.sock", { kind: "ssh", host: "box", socketPath: "/a b.sock" }],
	["ssh://[::1]:22", { kind: "ssh", host: "::1", port: 22 }],
	["unix:///var/run/docker.sock", { kind: "unix", socketPath: "/var/run/docker.sock" }],
	[
		"npipe:////./pipe/docker_engine",
		{ kind: "unix", socketPath: String.raw`\\.\pipe\docker_engine` },
	],
	["tcp://box:2375", { kind: "tcp", host: "box", port: 2375 }],
	["tcp://box", { kind: "tcp", host: "box", port: 2375 }],
	["tcp://box:2375/", { kind: "tcp", host: "box", port: 2375 }],
	["tcp://[::1]:2375", { kind: "tcp", host: "::1", port: 2375 }],
];

suite("parseTarget", () => {
	for (const [text, target] of readings) {
		test(`reads ${text}`, () => {
			assert.deepEqual(parseTarget(text), target);
		});
	}

	const refusals: readonly (readonly [text: string, reason: RegExp])[] = [
		["", /the host is missing/],
		["@box", /the user is empty/],
		["ann@", /the host is missing/],
		["my box", /the host name is not valid$/],
		["-oProxyCommand=sh", /the host name is not valid$/],
		["-l@box", /the user name is not valid$/],
		["$(id)", /the host name is not valid$/],
		["one,ann@other", /no comma in its name/],
		["/var/run/docker.sock", /looks like a path/],
		["box:ssh", /port must be a number/],
		["box:0", /port must be a number/],
		["box:65536", /port must be a number/],
		["1:2:3", /written \[address\]:port/],
		["[box]:22", /only an IPv6 address/],
		["ssh://", /the host is missing/],
		["ssh://box/%zz", /%-escape/],
		["ssh://box/x?y=1", /query/],
		["unix://docker.sock", /must be absolute/],
		["tcp://box:1/path", /path has no meaning/],
		["http://box", /"http:\/\/" is not supported/],
		["npipe://docker_engine", /is written npipe:\/\/\/\/.\/pipe\/docker_engine/],
	];
	for (const [text, reason] of refusals) {
		test(`refuses "${text}" with a hint`, () => {
			assert.throws(
				() => parseTarget(text),
				(error) =>
					error instanceof UsageError && reason.test(error.message) && error.hint !== undefined,
			);
		});
	}

	for (const text of [
		"ann:hunter2@box",
		"ssh://ann:hunter2@box",
		"ssh://ann:hunter2@box:22/run/docker.sock",
		"ssh://ann:hunt/hunter2@box",
		"tcp://ann:hunter2@box:2375",
		"https://ann:hunter2@box",
		"ann:hunter2@my box",
	]) {
		test(`refuses the password in ${text} without repeating it`, () => {
			assert.throws(
				() => parseTarget(text),
				(error) => error instanceof UsageError && !`${error.message}${error.hint}`.includes("hunt"),
			);
		});
	}
});

suite("formatTarget", () => {
	test("writes what parseTarget reads back as the same", () => {
		const host = fc.oneof(
			fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,20}$/),
			fc.ipV4(),
			fc.constantFrom("::1", "fe80::1", "2001:db8::7"),
		);
		const port = fc.integer({ min: 1, max: 65535 });
		const user = fc.stringMatching(/^[a-z_][a-z0-9@_.+-]{0,12}$/);
		const path = fc
			.stringMatching(/^\/[a-zA-Z0-9 %#?@:._/-]{1,30}$/)
			.filter((each) => each !== "/");
		const target: fc.Arbitrary<Target> = fc.oneof(
			fc.record(
				{ kind: fc.constant("ssh" as const), host, user, port, socketPath: path },
				{ requiredKeys: ["kind", "host"] },
			),
			fc.record({ kind: fc.constant("unix" as const), socketPath: path }),
			fc.record({ kind: fc.constant("tcp" as const), host, port }),
		);
		fc.assert(
			fc.property(target, (each) => {
				assert.deepEqual({ ...parseTarget(formatTarget(each)) }, { ...each });
			}),
		);
	});

	test("is the short form where there is no socket path", () => {
		assert.equal(formatTarget(parseTarget("ssh://ann@box:2222")), "ann@box:2222");
		assert.equal(formatTarget(parseTarget("ssh://[::1]:2222")), "[::1]:2222");
	});
});
