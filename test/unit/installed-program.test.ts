import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { commandToStart, findProgram, programToStart } from "../../src/installed-program.js";
import { emptyTree } from "./context/trees.js";

const skip =
	process.platform === "win32" ? "its drives have a colon, as the PATH of a Unix has" : false;

/** A machine with these programs in the folders "one" and "two", which are on its PATH. */
function machine(test: TestContext, platform: NodeJS.Platform, files: readonly string[]) {
	const root = emptyTree(test);
	for (const folder of ["one", "two"]) mkdirSync(join(root, folder));
	for (const file of files) writeFileSync(join(root, file), "", { mode: 0o755 });
	const path = platform === "win32" ? `.;"${root}/one";;${root}/two` : `${root}/one:${root}/two`;
	return { root, platform, variables: { PATH: path } };
}

describe("a program", { skip }, () => {
	it("is started from the PATH on Windows, and from nowhere else", (test) => {
		const windows = machine(test, "win32", [
			"two/ssh.exe",
			"one/tool.com",
			"one/ssh",
			"one/ssh.cmd",
		]);
		const { root } = windows;
		assert.equal(programToStart("ssh", windows), join(root, "two/ssh.exe"));
		assert.equal(programToStart("ssh.exe", windows), join(root, "two/ssh.exe"));
		assert.equal(programToStart("tool", windows), join(root, "one/tool.com"));
		const { PATH } = windows.variables;
		const likeWindows = { ...windows, variables: { Path: PATH } };
		assert.equal(programToStart("ssh", likeWindows), join(root, "two/ssh.exe"));
	});

	it("that is not there is a path that is not there on Windows", (test) => {
		const windows = machine(test, "win32", ["one/helper.cmd"]);
		assert.equal(programToStart("helper", windows), join(windows.root, "one/helper.exe"));
		assert.equal(programToStart("helper", { ...windows, variables: {} }), "/helper.exe");
	});

	it("that is a script is run by the shell on Windows, where it may be one", (test) => {
		const windows = machine(test, "win32", ["one/helper.cmd", "two/helper.exe", "two/other.exe"]);
		const script = join(windows.root, "one/helper.cmd");
		assert.equal(findProgram("helper", windows), script);
		const { PATH } = windows.variables;
		const likeWindows = { ...windows, variables: { PATH, ComSpec: "D:\\cmd.exe" } };
		assert.deepEqual(commandToStart("helper", ["get"], likeWindows), {
			program: "D:\\cmd.exe",
			args: ["/d", "/s", "/c", `""${script}" get"`],
			windowsVerbatimArguments: true,
		});
		assert.deepEqual(commandToStart("other", ["get"], windows), {
			program: join(windows.root, "two/other.exe"),
			args: ["get"],
			windowsVerbatimArguments: false,
		});
		assert.equal(commandToStart("none", [], windows).program, programToStart("none", windows));
	});

	it("with a path is that one", (test) => {
		const windows = machine(test, "win32", []);
		for (const name of ["C:\\Program Files\\askpass.exe", "./askpass", "C:askpass"]) {
			assert.equal(programToStart(name, windows), name);
		}
	});

	it("is left to the system elsewhere, which looks at the PATH only", (test) => {
		const linux = machine(test, "linux", ["two/ssh", "one/tool.exe"]);
		assert.equal(programToStart("ssh", linux), "ssh");
		assert.equal(programToStart("tool", linux), "tool");
		assert.equal(findProgram("ssh", linux), join(linux.root, "two/ssh"));
		assert.equal(findProgram("tool", linux), undefined);
	});
});
