import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { startOnTerminal, whyNoTerminal } from "../../support/terminal.js";
import { contextWith } from "../survey/surveys.js";

const program = fileURLToPath(new URL("../../../../bin/rbuild.js", import.meta.url));

/** What commands print on a terminal of 60 columns, by lines. */
async function printed(commands: readonly string[], home: string): Promise<string[]> {
	const runs = commands.map((command) => `'${process.execPath}' '${program}' ${command}`);
	const terminal = startOnTerminal(`stty cols 60; ${runs.join("; ")}`, {
		...{ HOME: home, DOCKER_CONFIG: home, NO_COLOR: "1", DOCKER_HOST: "unix:///nowhere/d.sock" },
	});
	await terminal.end();
	return terminal.screen().split("\r\n");
}

describe("a narrow terminal", { skip: whyNoTerminal() ?? false }, () => {
	const deep = "web/packages/frontend-application-with-long-name";
	const context = (test: TestContext) =>
		contextWith(test, {
			Dockerfile: "FROM scratch\n",
			".dockerignore": `${deep}/**/*.map\n`,
			[`${deep}/dist/main.js.map`]: "x",
		});

	it("has whole words of what rbuild context says", async (test) => {
		const root = context(test);
		const lines = await printed([`context ${root}`, `context why -C ${root} ${deep}/dist`], root);
		assert.ok(lines.every((line) => line.length <= 60 || !line.trim().includes(" ")));
		assert.ok(lines.includes(`    ${deep}/**/*.map)`));
		const verdict = lines.indexOf(`${deep}/dist:`);
		assert.match(lines[verdict + 1] ?? "", /^ {4}included /);
	});

	it("has whole words of errors and hints", async (test) => {
		const root = context(test);
		const commands = [`${root} --on http://box`, `${root} --progress plain`];
		const lines = (await printed(commands, root))
			.map(stripVTControlCharacters)
			.filter((line) => /^(?:error:|hint:| {4})/.test(line));
		assert.ok(lines.every((line) => line.length <= 60));
		assert.match(lines.join("\n"), /^hint: write an ssh alias, user@host\[:port\],\n {4}ssh:/m);
		assert.match(lines.join("\n"), /^hint: is the daemon running\? .*\n {4}user@host$/m);
	});

	it("has whole words of what is said of boxes", async (test) => {
		const root = context(test);
		const lines = await printed(["hosts --ssh-config /dev/null", "doctor"], root);
		assert.ok(lines.every((line) => line.length <= 60));
		assert.match(lines.join("\n"), /^ {4}cannot reach unix:\/\/\/nowhere\/d\.sock: /m);
		assert.match(lines.join("\n"), /^✘ docker socket {7}cannot reach .*\n {22}\S/m);
	});
});
