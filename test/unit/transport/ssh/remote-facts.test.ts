import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseFacts } from "../../../../src/transport/ssh/remote-facts.js";

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
