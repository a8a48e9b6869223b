import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { BASH_SCRIPT, FISH_SCRIPT, ZSH_SCRIPT } from "../../../../src/cli/completion/scripts.js";
import { rbuildHere } from "../../../support/called-program.js";
import { finished } from "../../../support/cli.js";
import { emptyTree } from "../../context/trees.js";

/** In place of rbuild: completes a word to itself and what was asked, and says where paths may stand. */
const STUB = `#!/bin/sh
for last; do :; done
echo "$last<$*>"
case "$*" in *-f*) echo :files ;; *cl) echo :directories ;; esac
`;

/** What a script prints in which `$script` is that of the shell; a line each. */
async function printed(
	test: TestContext,
	shell: string,
	script: string,
	...args: readonly string[]
): Promise<readonly string[]> {
	const home = emptyTree(test);
	writeFileSync(join(home, "rbuild"), STUB);
	chmodSync(join(home, "rbuild"), 0o755);
	writeFileSync(join(home, "script"), script);
	writeFileSync(join(home, "Dockerfile"), "");
	mkdirSync(join(home, "client"));
	const env = {
		...process.env,
		HOME: home,
		XDG_CONFIG_HOME: home,
		PATH: `${home}:${process.env.PATH}`,
	};
	const { stdout, stderr } = await finished(spawn(shell, args, { cwd: home, env }));
	assert.equal(stderr, "");
	return stdout.trimEnd().split("\n");
}

const without = (shell: string) =>
	spawnSync(shell, ["-c", ":"]).status === 0 ? false : `there is no ${shell}`;

describe("the script for a shell", { concurrency: true }, () => {
	/** What the shell itself does with paths is shown by the name that it has for it. */
	const inBash = (test: TestContext, ...line: readonly string[]) => {
		const call = `source script
			compopt() { echo "$2"; }
			COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
			_rbuild_completions
			printf '%s\\n' "\${COMPREPLY[@]}"`;
		return printed(test, "bash", BASH_SCRIPT, "--norc", "-c", call, "bash", "rbuild", ...line);
	};

	it("offers words and paths in bash", { skip: without("bash") }, async (test) => {
		assert.deepEqual(await inBash(test, "hosts", "i"), ["i<--get-completions hosts i>"]);
		const split = [".", "--on", "=", "x"];
		assert.deepEqual(await inBash(test, ...split), ["x<--get-completions . --on = x>"]);
		assert.deepEqual(await inBash(test, "-f", "x"), ["default", "x<--get-completions -f x>"]);
		assert.deepEqual(await inBash(test, "cl"), ["plusdirs", "cl<--get-completions cl>"]);
	});

	const inZsh = (test: TestContext, ...line: readonly string[]) => {
		const call = `compdef() { : }; compadd() { shift; print -l -- "$@" }; compset() { : }
			_files() { print -- _files "$@" }
			source ./script
			words=("$@"); CURRENT=$#; PREFIX="\${@[-1]}"
			_rbuild_completions`;
		return printed(test, "zsh", ZSH_SCRIPT, "-f", "-c", call, "zsh", "rbuild", ...line);
	};

	it("offers words and paths in zsh", { skip: without("zsh") }, async (test) => {
		assert.deepEqual(await inZsh(test, "hosts", "i"), ["i<--get-completions hosts i>"]);
		assert.deepEqual(await inZsh(test, ".", "--on=x"), ["x<--get-completions . --on = x>"]);
		assert.deepEqual(await inZsh(test, "-f", "x"), ["x<--get-completions -f x>", "_files"]);
		assert.deepEqual(await inZsh(test, "cl"), ["cl<--get-completions cl>", "_files -/"]);
	});

	const inFish = (test: TestContext, line: string) =>
		printed(test, "fish", FISH_SCRIPT, "-N", "-c", `source script; complete -C '${line}'`);

	it("offers words and paths in fish", { skip: without("fish") }, async (test) => {
		assert.deepEqual(await inFish(test, "rbuild hosts i"), ["i<--get-completions hosts i>"]);
		const [word, file] = await inFish(test, "rbuild --file=Dock");
		assert.match(`${word} ${file}`, /--file=Dock<--get-completions --file=Dock>/);
		assert.match(`${word} ${file}`, /--file=Dockerfile/);
		assert.match((await inFish(test, "rbuild cl")).join(" "), /client\//);
	});
});

describe("rbuild --get-completions", () => {
	const home = (test: TestContext) => {
		const folder = emptyTree(test);
		mkdirSync(join(folder, ".ssh"));
		writeFileSync(join(folder, ".ssh", "config"), "Host labbox\n");
		return { env: { HOME: folder, USERPROFILE: folder, DOCKER_CONFIG: folder } };
	};

	it("prints words, and which paths there may be", async (test) => {
		const [boxes, files] = await Promise.all([
			rbuildHere(["--get-completions", ".", "--on", ""], home(test)),
			rbuildHere(["--get-completions", ".", "-f", ""], home(test)),
		]);
		assert.equal(boxes.stdout, "auto\ndefault\nlabbox\n");
		assert.equal(files.stdout, ":files\n");
	});
});
