import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { BASE_IMAGE } from "../support/base-image.js";
import { startBox } from "../support/box.js";
import { rbuild } from "../support/cli.js";
import { lab, labBox } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testClientPushes } from "./client-pushes.js";

const here = lab();

suiteWithDockerd("a push from here of what docker 20.10 has built", () => {
	testClientPushes({ open: () => startBox(), pullsBack: true });
});

suite("a push from here of what docker 28.5 has built", {
	skip: here ? false : "there is no lab",
}, () => {
	if (here === undefined) return;
	const { networkHost, localDockerSocket, sshConfigFile } = here;
	testClientPushes({
		open: () => labBox(networkHost, localDockerSocket, sshConfigFile),
		pullsBack: false,
	});
});

suiteWithDockerd("a push from here of what a box has built that forwards nothing", () => {
	test("is refused with the reason, and the way out", async () => {
		await using box = await startBox({ config: ["AllowTcpForwarding local"] });
		const context = mkdtempSync(join(tmpdir(), "rbuild-client-push-"));
		try {
			const { code, stderr } = await rbuild(
				[context, "-f", "-", "-t", "127.0.0.1:1/app", "--push", "--via", "client", ...box.flags],
				{ input: `FROM ${BASE_IMAGE}\n` },
			);
			assert.equal(code, 6, stderr);
			assert.match(
				stderr,
				/^error: cannot push 127.0.0.1:1\/app:latest from this machine: its layers do not come here from .*: the ssh server does not allow reverse forwarding$/m,
			);
			assert.match(stderr, /^hint: .*--via daemon$/m);
		} finally {
			rmSync(context, { recursive: true });
		}
	});
});
