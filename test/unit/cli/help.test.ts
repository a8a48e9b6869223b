import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BUILD } from "../../../src/cli/build/build.js";
import { COMMAND_NAMES, flagsOf } from "../../../src/cli/commands.js";
import { OPEN_VALUES } from "../../../src/cli/completion/flag-values.js";
import { HELP } from "../../../src/cli/help.js";
import { rbuildHere } from "../../support/called-program.js";

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

describe("rbuild help", () => {
	it("shows the help of a command, as --help does behind it", async () => {
		for (const words of [["build"], ["cache"], ["context", "why"]]) {
			const [help, flag] = await Promise.all([
				rbuildHere(["help", ...words]),
				rbuildHere([...words, "--help"]),
			]);
			assert.match(help.stdout, new RegExp(`^rbuild ${words.join(" ")} <`));
			assert.deepEqual([help.code, help.stdout, help.stderr], [0, flag.stdout, ""]);
		}
	});

	it("shows the help of all of them where none is named", async () => {
		const { code, stdout } = await rbuildHere(["help", "--debug"]);
		assert.deepEqual([code, stdout], [0, HELP]);
	});

	it("lists every command where there is but a build context", async () => {
		const { stdout } = await rbuildHere([".", "--help"]);
		for (const command of COMMAND_NAMES)
			assert.match(stdout, new RegExp(`^  rbuild ${command}\\b`, "m"));
	});

	it("names the values that a flag is completed to", async () => {
		const { stdout } = await rbuildHere(["build", "--help"]);
		const help = stdout.replace(/\s+/g, " ");
		const choices = (values: readonly string[]) =>
			`[choices: ${values.map((value) => `"${value}"`).join(", ")}]`;
		for (const [flag, options] of Object.entries(flagsOf(BUILD))) {
			const values = options.choices?.map(String) ?? [];
			if (values.length > 0) assert.ok(help.includes(choices(values)), flag);
			for (const value of OPEN_VALUES[flag] ?? []) {
				assert.match(String(options.describe), new RegExp(`\\b${value}\\b`), flag);
			}
		}
	});

	it("shows for each command what it has, and no more", async () => {
		const [why, cache, pull] = await Promise.all(
			[["context", "why"], ["cache"], ["pull"]].map((words) => rbuildHere([...words, "--help"])),
		);
		assert.doesNotMatch(why?.stdout ?? "", /^ {2}directory/m);
		assert.doesNotMatch(cache?.stdout ?? "", /--ssh/);
		assert.match(pull?.stdout ?? "", /--ssh-config/);
		assert.doesNotMatch(pull?.stdout ?? "", /sync/);
	});
});

describe("rbuild version", () => {
	it("prints the version, as --version does", async () => {
		const [flag, word, both] = await Promise.all([
			rbuildHere(["--version"]),
			rbuildHere(["version"]),
			rbuildHere(["version", "--debug"]),
		]);
		assert.match(flag.stdout, /^\d+\.\d+\.\d+\n$/);
		assert.deepEqual([word.stdout, both.stdout], [flag.stdout, flag.stdout]);
	});
});

describe("rbuild completion", () => {
	it("prints a script, and with --help what it is for", async () => {
		const script = await rbuildHere(["completion"], { env: { SHELL: "/bin/bash" } });
		assert.match(script.stdout, /^###-begin-rbuild-completions-###$/m);
		for (const word of ["--help", "-h"]) {
			const { code, stdout, stderr } = await rbuildHere(["completion", word]);
			assert.match(stdout, /^rbuild completion\n\nPrint a script for shell completion/);
			assert.deepEqual([code, stderr], [0, ""]);
		}
	});

	it("takes no argument", async () => {
		const { code, stdout, stderr } = await rbuildHere(["completion", "zsh"]);
		assert.deepEqual([code, stdout], [2, ""]);
		assert.match(
			stderr,
			/^error: rbuild completion takes no argument, and got "zsh"\nhint: .*SHELL/,
		);
	});
});
