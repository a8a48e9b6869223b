import assert from "node:assert/strict";
import { Duplex, PassThrough } from "node:stream";
import { suite, test } from "node:test";
import { InterruptedError } from "../../../../../src/errors.js";
import {
	parseFacts,
	readOutput,
} from "../../../../../src/transport/ssh/daemon-route/remote-facts.js";
import type { CommandChannel } from "../../../../../src/transport/ssh/remote-host.js";

suite("parseFacts", () => {
	test("reads what stands between its lines, whatever the shell says around them", () => {
		const answer = [
			"usable /motd",
			"",
			"rbuild-facts",
			"docker /opt/homebrew/bin/docker",
			"podman ",
			"host unix:///run/user/7/docker.sock",
			"usable /run/user/7/docker.sock",
			"denied /var/run/docker.sock",
			"usable /run/user/7/docker.sock",
			"usable /Users/ann lee/.rd/docker.sock",
			"rbuild-end",
			"bye",
		];
		for (const lineBreak of ["\n", "\r\n"]) {
			assert.deepEqual(parseFacts(`${answer.join(lineBreak)}${lineBreak}`), {
				sockets: [
					{ path: "/run/user/7/docker.sock", state: "usable" },
					{ path: "/var/run/docker.sock", state: "denied" },
					{ path: "/Users/ann lee/.rd/docker.sock", state: "usable" },
				],
				dockerHost: "unix:///run/user/7/docker.sock",
				docker: "/opt/homebrew/bin/docker",
				podman: undefined,
			});
		}
	});

	test("takes an answer that was cut off for none", () => {
		assert.equal(parseFacts("This account is not available.\n"), undefined);
		assert.equal(parseFacts("\nrbuild-facts\ndocker /usr/bin/docker\n"), undefined);
	});
});

suite("readOutput", () => {
	/** A command that says this and goes on. */
	function command(said: string) {
		const channel = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
		const closed: true[] = [];
		const close = () => void closed.push(true);
		channel.push(said);
		return { channel: Object.assign(channel, { stderr: new PassThrough(), close }), closed };
	}

	test("takes what a command has said for all there is when that takes too long", async (t) => {
		t.mock.timers.enable({ apis: ["setTimeout"] });
		const { channel, closed } = command("x86_64");
		const output = read(channel, new AbortController().signal);
		await new Promise((resolve) => setImmediate(resolve));
		t.mock.timers.tick(10_000);
		assert.equal(await output, "x86_64");
		assert.equal(closed.length, 1);
	});

	test("waits no longer than its caller does", async () => {
		const { channel, closed } = command("x86_64");
		const run = new AbortController();
		const output = read(channel, run.signal);
		run.abort();
		await assert.rejects(output, InterruptedError);
		await assert.rejects(read(command("x86_64").channel, run.signal), InterruptedError);
		assert.equal(closed.length, 1);
	});

	const read = (channel: CommandChannel, signal: AbortSignal) => readOutput(channel, "box", signal);
});
