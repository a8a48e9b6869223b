import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { emptyTree } from "../../context/trees.js";
import { type Entry, tarBytes } from "./tar-bytes.js";

const module = new URL("../../../../src/image/export/tar-unpacking.js", import.meta.url).href;

/** Unpacks in a process that takes itself for one on Windows, as tar-fs asks that itself. */
function unpackOnWindows(folder: string, entries: readonly Entry[]) {
	const code = `
		import { readFileSync } from "node:fs";
		Object.defineProperty(process, "platform", { value: "win32" });
		const { unpackTar } = await import(${JSON.stringify(module)});
		async function* tar() { yield readFileSync(0); }
		const { signal } = new AbortController();
		console.log(JSON.stringify(await unpackTar(tar(), ${JSON.stringify(folder)}, signal)));
	`;
	const args = ["--input-type=module", "-e", code];
	const input = tarBytes(entries);
	return JSON.parse(execFileSync(process.execPath, args, { input, encoding: "utf8" }));
}

suite("a tar that is unpacked on Windows", () => {
	test("has its hard links, and says which symlinks it has not", (context) => {
		const folder = emptyTree(context);
		const { skipped, renamed } = unpackOnWindows(folder, [
			{ name: "bin/", type: "5", mode: 0o755 },
			{ name: "bin/tool:1", content: "x" },
			{ name: "bin/other", type: "1", link: "bin/tool:1" },
			{ name: "bin/third", type: "1", link: "/bin/other" },
			{ name: "bin/none", type: "1", link: "../../etc/passwd" },
			{ name: "soft", type: "2", link: "bin/tool:1" },
		]);
		assert.equal(readFileSync(join(folder, "bin/third"), "utf8"), "x");
		assert.equal(lstatSync(join(folder, "bin/tool_1")).nlink, 3);
		assert.deepEqual(skipped, ["bin/none", "soft"]);
		assert.deepEqual(renamed, [{ path: "bin/tool:1", as: "bin/tool_1" }]);
	});

	test("says what took the place of another file of the same name", (context) => {
		const { collisions } = unpackOnWindows(emptyTree(context), [
			{ name: "a_b/", type: "5", mode: 0o755 },
			{ name: "a_b/c:d", content: "1" },
			{ name: "a_b/c?d", content: "2" },
			{ name: "a_b/c-d", content: "3" },
		]);
		assert.deepEqual(collisions, [{ path: "a_b/c?d", other: "a_b/c:d" }]);
	});

	test("says which names Windows does not take, and finds them again", (context) => {
		const folder = emptyTree(context);
		const { unfinished, renamed } = unpackOnWindows(folder, [
			{ name: "a:b/", type: "5", mode: 0o755 },
			{ name: 'a:b/c?*"<>|\\..\\d', content: "x" },
			{ name: "fine", content: "x" },
		]);
		assert.deepEqual(
			unfinished.map(({ path }: { path: string }) => path),
			["a_b/"],
		);
		assert.deepEqual(renamed, [
			{ path: "a:b/", as: "a_b/" },
			{ path: 'a:b/c?*"<>|\\..\\d', as: "a_b/c_______.._d" },
		]);
		assert.deepEqual(readdirSync(folder).sort(), ["a_b", "fine"]);
		assert.deepEqual(readdirSync(join(folder, "a_b")), ["c_______.._d"]);
	});

	test("says which names are those of devices, or end as none can", (context) => {
		const folder = emptyTree(context);
		const strange = ["CON", "aux.txt", "lib/com1.tar.gz", "nul/x", "dot.", "blank ", "..."];
		const fine = ["./console", "com", "com10", "a.nul", ".bashrc", "a. b"];
		const { renamed } = unpackOnWindows(
			folder,
			[...strange, ...fine].map((name) => ({ name, content: "x" })),
		);
		assert.deepEqual(
			renamed.map(({ as }: { as: string }) => as),
			["CON_", "aux_.txt", "lib/com1_.tar.gz", "nul_/x", "dot_", "blank_", ".._"],
		);
		assert.ok(readdirSync(folder).includes("nul_"));
	});
});
