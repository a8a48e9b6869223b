import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HELP } from "../../../src/cli/help.js";
import { rbuild } from "../../support/cli.js";

describe("rbuild --help", () => {
	it("fits on a screen of 80 by 24", () => {
		const lines = HELP.trimEnd().split("\n");
		assert.ok(lines.length <= 24, String(lines.length));
		assert.deepEqual(
			lines.filter((line) => line.length > 80),
			[],
		);
	});
});

describe("rbuild completion", () => {
	it("prints a script, and with --help what it is for", async () => {
		const script = await rbuild(["completion"], { env: { SHELL: "/bin/bash" } });
		assert.match(script.stdout, /^###-begin-rbuild-completions-###$/m);
		for (const word of ["--help", "-h"]) {
			const { code, stdout, stderr } = await rbuild(["completion", word]);
			assert.match(stdout, /^rbuild completion\n\nPrint a script for shell completion/);
			assert.deepEqual([code, stderr], [0, ""]);
		}
	});

	it("takes no argument", async () => {
		const { code, stdout, stderr } = await rbuild(["completion", "zsh"]);
		assert.deepEqual([code, stdout], [2, ""]);
		assert.match(
			stderr,
			/^error: rbuild completion takes no argument, and got "zsh"\nhint: .*SHELL/,
		);
	});
});
