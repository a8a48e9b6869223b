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
import { testReturns } from "./returns.js";

const here = lab();

suiteWithDockerd("images that come back from docker 20.10", () => {
	testReturns({ open: () => startBox(), name: "returns" });
});

suite("images that come back from docker 28.5", { skip: here ? false : "there is no lab" }, () => {
	if (here === undefined) return;
	const { networkHost, localDockerSocket, sshConfigFile } = here;
	testReturns({
		open: () => labBox(networkHost, localDockerSocket, sshConfigFile),
		name: "rbuild-returns-test",
	});
});

suiteWithDockerd("images of a box that forwards nothing", () => {
	test("come as a whole, with the reason", async () => {
		await using box = await startBox({ config: ["AllowTcpForwarding local"] });
		const directory = mkdtempSync(join(tmpdir(), "rbuild-returns-"));
		try {
			const path = join(directory, "base.tar");
			const { code, stderr } = await rbuild(["pull", BASE_IMAGE, "--save", path, ...box.flags]);
			assert.equal(code, 0, stderr);
			const reason = "the whole image: the ssh server does not allow reverse forwarding";
			assert.match(stderr, new RegExp(`^saved to ${path} \\(.*, ${reason}\\)$`, "m"));
			const oci = await rbuild([
				...["pull", BASE_IMAGE, "--save", `type=oci,dest=${path}`, ...box.flags],
			]);
			assert.equal(oci.code, 6);
			assert.match(oci.stderr, /^error: cannot make an OCI layout from .*: the ssh server/m);
		} finally {
			rmSync(directory, { recursive: true });
		}
	});
});
