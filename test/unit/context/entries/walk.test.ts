import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
	chmodSync,
	linkSync,
	mkdirSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { walkContext } from "../../../../src/context/entries/walk.js";
import { IgnoreRules } from "../../../../src/context/ignore/ignore-rules.js";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import {
	noPermissions,
	noSuchNames,
	noSymlinks,
	posixOnly,
	without,
} from "../../../support/this-system.js";
import { asNobody } from "../nobody.js";
import { emptyTree, walk } from "../trees.js";

const paths = (root: string, rules = "") => walk(root, rules).entries.map(({ path }) => path);

describe("the walk", () => {
	it("meets directories before what is in them, and siblings in the order of their bytes", (test) => {
		const root = emptyTree(test);
		for (const name of ["b", "a/z", "a-b", "a/\uffee", "a/😀"]) {
			mkdirSync(join(root, name), { recursive: true });
		}
		assert.deepEqual(paths(root), ["a", "a/z", "a/\uffee", "a/😀", "a-b", "b"]);
	});

	it("tells what each thing is", { skip: without("mkfifo") }, (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "file"), "12345");
		chmodSync(join(root, "file"), 0o4750);
		utimesSync(join(root, "file"), 1_700_000_000.25, 1_700_000_000.25);
		symlinkSync("nowhere/é", join(root, "link"));
		execFileSync("mkfifo", ["-m", "600", join(root, "pipe")]);
		const [file, link, pipe] = walk(root).entries;
		assert.deepEqual(file, {
			path: "file",
			type: "file",
			size: 5,
			mode: 0o4750,
			mtimeMs: 1_700_000_000_250,
		});
		assert.equal(link?.type, "symlink");
		assert.equal(link?.linkname, "nowhere/é");
		assert.equal(link?.size, 0);
		assert.deepEqual([pipe?.path, pipe?.type, pipe?.mode], ["pipe", "fifo", 0o600]);
	});

	it("counts files and bytes, each inode once, and names the first of its paths", (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "d"));
		writeFileSync(join(root, "d/one"), "123");
		linkSync(join(root, "d/one"), join(root, "two"));
		linkSync(join(root, "d/one"), join(root, "a-hidden"));
		const { entries, files, bytes } = walk(root, "a-*");
		assert.equal(files, 2);
		assert.equal(bytes, 3);
		assert.deepEqual(
			entries.map(({ path, hardlink }) => [path, hardlink]),
			[
				["d", undefined],
				["d/one", undefined],
				["two", "d/one"],
			],
		);
	});

	it("keeps names that are not UTF-8", { skip: noSuchNames }, (test) => {
		const root = emptyTree(test);
		writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0x61, 0xff)]), "x");
		symlinkSync(Buffer.of(0xfe), join(root, "link"));
		const { entries } = walk(root);
		assert.deepEqual([entries[0]?.path, entries[0]?.size], ["a\udcff", 1]);
		assert.equal(entries[1]?.linkname, "\udcfe");
	});

	it("sends symlinks as links, even to directories, and passes over sockets", {
		skip: posixOnly,
	}, async (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "real/inner"), { recursive: true });
		symlinkSync("real", join(root, "alias"));
		const server = createServer();
		await new Promise<void>((resolve) => server.listen(join(root, "socket"), resolve));
		test.after(() => server.close());
		assert.deepEqual(paths(root), ["alias", "real", "real/inner"]);
	});

	it("follows a symlink that is the context itself", { skip: noSymlinks }, (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "real"));
		writeFileSync(join(root, "real/file"), "");
		symlinkSync("real", join(root, "alias"));
		assert.deepEqual(paths(join(root, "alias")), ["file"]);
	});

	it("makes every mode 0755 on Windows, or 0555 of what is read-only, as docker does", {
		skip: noSymlinks,
	}, (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "file"), "");
		writeFileSync(join(root, "read-only"), "");
		// As libuv has them there.
		chmodSync(join(root, "file"), 0o666);
		chmodSync(join(root, "read-only"), 0o444);
		symlinkSync("a\\b", join(root, "link"));
		const tree = new SourceTree(root, "win32");
		const { entries } = walkContext(tree, IgnoreRules.none(), new Set());
		assert.deepEqual(
			entries.map(({ mode, linkname }) => [mode, linkname]),
			[
				[0o755, undefined],
				[0o755, "a/b"],
				[0o555, undefined],
			],
		);
	});

	it("splits device numbers as Linux and macOS do", (test) => {
		const stats = (rdev: number) => ({ rdev }) as Parameters<SourceTree["device"]>[0];
		const root = emptyTree(test);
		const linux = new SourceTree(root, "linux");
		const macos = new SourceTree(root, "darwin");
		assert.deepEqual(linux.device(stats(0x11110370)), { major: 259, minor: 70000 });
		assert.deepEqual(macos.device(stats(0x03000002)), { major: 3, minor: 2 });
	});
});

describe("what is ignored", () => {
	it("is counted, and a directory of it is not opened", (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "modules/deep"), { recursive: true });
		writeFileSync(join(root, "modules/deep/file"), "x");
		writeFileSync(join(root, "a.log"), "1234");
		writeFileSync(join(root, "kept"), "");
		const manifest = walk(root, "modules\n*.log");
		assert.deepEqual(
			manifest.entries.map(({ path }) => path),
			["kept"],
		);
		assert.deepEqual(manifest.ignored, { files: 1, bytes: 4, directories: ["modules"] });
	});

	it("is sent with its parents, before it, where something below it is sent after all", {
		skip: noPermissions,
	}, (test) => {
		const root = emptyTree(test);
		for (const directory of ["a/aa", "a/b/c", "a/b/empty"]) {
			mkdirSync(join(root, directory), { recursive: true });
		}
		chmodSync(join(root, "a/b"), 0o701);
		writeFileSync(join(root, "a/b/c/kept"), "");
		writeFileSync(join(root, "a/b/c/left"), "");
		const { entries } = walk(root, "a\n!a/b/c/kept\n!a/aa/nothing");
		assert.deepEqual(
			entries.map(({ path }) => path),
			["a", "a/b", "a/b/c", "a/b/c/kept"],
		);
		assert.equal(entries[1]?.mode, 0o701);
	});

	it("does no harm where it cannot be read", { skip: noPermissions }, (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "secret/below"), { recursive: true });
		writeFileSync(join(root, "kept"), "");
		chmodSync(join(root, "secret"), 0o000);
		asNobody(root, () => {
			assert.deepEqual(paths(root, "secret"), ["kept"]);
			assert.deepEqual(paths(root, "secret\n!secret/below"), ["kept"]);
		});
		chmodSync(join(root, "secret"), 0o700);
	});
});

describe("an observer of the walk", () => {
	/** What it is told, one line each. */
	function observed(root: string, rules: string): string[] {
		const told: string[] = [];
		const tree = new SourceTree(root, "linux");
		walkContext(tree, IgnoreRules.parse(rules, ".dockerignore"), new Set(), undefined, {
			judged: (path, state, parent) =>
				told.push(`judged ${path}${state === parent ? " as its parent" : ""}`),
			sent: ({ path }, rule) => told.push(`sent ${path} by ${rule?.text}`),
			leftOut: (path, { type }, rule) => told.push(`left out ${type} ${path} by ${rule?.text}`),
		});
		return told;
	}

	it("is told of every path that is met and which rule decided", (test) => {
		const root = emptyTree(test);
		for (const name of ["dist/deep", "kept"]) mkdirSync(join(root, name), { recursive: true });
		for (const name of ["dist/a.js", "dist/deep/x", "dist/z.css"]) {
			writeFileSync(join(root, name), "");
		}
		assert.deepEqual(observed(root, "dist\n!dist/z.css"), [
			"judged dist",
			"judged dist/a.js as its parent",
			"left out file dist/a.js by dist",
			"judged dist/deep as its parent",
			"left out directory dist/deep by dist",
			"judged dist/z.css",
			"sent dist by undefined",
			"sent dist/z.css by !dist/z.css",
			"judged kept as its parent",
			"sent kept by undefined",
		]);
	});
});

describe("the walk fails", () => {
	it("for a context that is not there, or not a directory", (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "file"), "");
		assert.throws(() => walk(join(root, "none")), {
			name: "ContextError",
			message: `the build context ${join(root, "none")} does not exist`,
		});
		assert.throws(() => walk(join(root, "file")), {
			name: "ContextError",
			message: `the build context ${join(root, "file")} is not a directory`,
		});
	});

	it("for a context that cannot be read", { skip: noPermissions }, (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "locked"), { mode: 0o000 });
		asNobody(root, () => {
			assert.throws(() => walk(join(root, "locked")), {
				name: "ContextError",
				message: "cannot read the build context: permission denied",
				hint: "make it readable, or list it in .dockerignore",
			});
		});
	});
});

describe("what cannot be looked at", { skip: noPermissions }, () => {
	it("is no file that its owner can read, and none that is left out", (test) => {
		const root = emptyTree(test);
		for (const name of ["left-out", "own"]) writeFileSync(join(root, name), name, { mode: 0o600 });
		assert.deepEqual(walk(root).unreadable, []);
		asNobody(root, () => {
			const unreadable = walk(root, "left-out").unreadable.map(({ path }) => path);
			assert.deepEqual(unreadable, ["own"]);
		});
	});

	it("is noted, and nothing else is missing", (test) => {
		const root = emptyTree(test);
		for (const name of ["a/locked/below", "a/unlocked", "listed"]) {
			mkdirSync(join(root, name), { recursive: true });
		}
		for (const name of ["key", "listed/one", "listed/two", "z"])
			writeFileSync(join(root, name), "z");
		chmodSync(join(root, "key"), 0o600);
		chmodSync(join(root, "a/locked"), 0o000);
		chmodSync(join(root, "listed"), 0o444);
		asNobody(root, () => {
			const { entries, files, bytes, unreadable } = walk(root);
			assert.deepEqual(
				entries.map(({ path }) => path),
				["a", "a/unlocked", "key", "listed", "z"],
			);
			assert.deepEqual([files, bytes], [2, 2]);
			const hint = "make it readable, or list it in .dockerignore";
			assert.deepEqual(
				unreadable,
				["a/locked", "listed/one", "listed/two", "key"].map((path) => ({
					path,
					isEntry: path === "key",
					message: `cannot read ${path} in the build context: permission denied`,
					hint,
				})),
			);
		});
	});
});

describe("a file above 8 GiB", () => {
	it("keeps its size", (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "huge"), "");
		truncateSync(join(root, "huge"), 9 * 2 ** 30);
		assert.equal(walk(root).bytes, 9 * 2 ** 30);
	});
});
