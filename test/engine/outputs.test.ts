import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { BASE_IMAGE } from "../support/base-image.js";
import { startBox } from "../support/box.js";
import { rbuild } from "../support/cli.js";
import { lab, labBox } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testOutputs } from "./outputs.js";

const here = lab();

for (const transfer of ["tar", "sync"] as const) {
	suiteWithDockerd(`rbuild --output on docker 20.10, --transfer ${transfer}`, () => {
		testOutputs({ transfer, several: false, open: () => startBox() });
	});
	suite(`rbuild --output on docker 28.5, --transfer ${transfer}`, {
		skip: here ? false : "there is no lab",
	}, () => {
		if (here === undefined) return;
		const open = () => labBox(here.host, here.localDockerSocket, here.sshConfigFile);
		testOutputs({ transfer, several: true, open });
	});
}

suite("rbuild --output where there is no BuildKit", {
	skip: here ? false : "there is no lab",
}, () => {
	test("is refused by podman before anything is sent", async () => {
		if (here === undefined) return;
		const directory = mkdtempSync(join(tmpdir(), "rbuild-outputs-"));
		writeFileSync(join(directory, "Dockerfile"), `FROM ${BASE_IMAGE}\n`);
		const { code, stderr } = await rbuild(
			[
				...[".", "-o", "out", "--on", `ssh://${here.host}${here.podmanSocket}`],
				...["--ssh-config", here.sshConfigFile],
			],
			{ cwd: directory },
		);
		assert.equal(code, 5, stderr);
		assert.match(stderr, /^error: .* has no BuildKit, which --output type=local needs$/m);
		assert.doesNotMatch(stderr, /upload/);
		assert.deepEqual(readdirSync(directory), ["Dockerfile"]);
		rmSync(directory, { recursive: true });
	});
});
