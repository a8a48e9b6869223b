import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs, {
	appendFileSync,
	chmodSync,
	linkSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { packFiles, packTar, type TarChunk } from "../../../../src/context/content/tar-pack.js";
import { fromBytes, toBytes } from "../../../../src/context/tree/path-bytes.js";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import { noPermissions, noSuchNames, posixOnly, without } from "../../../support/this-system.js";
import { asNobody } from "../nobody.js";
import { emptyTree, gnuTar, pack, walk } from "../trees.js";

const MIB = 1024 * 1024;
const tree = (root: string) => new SourceTree(root, "linux");

/** What is in a directory, in a form that can be compared. Times are in whole seconds. */
function contents(directory: Buffer): Record<string, unknown> {
	const found: Record<string, unknown> = {};
	for (const name of readdirSync(directory, "buffer")) {
		const path = Buffer.concat([directory, Buffer.from("/"), name]);
		const stats = lstatSync(path);
		found[fromBytes(name)] = {
			mode: stats.mode,
			mtime: stats.isSymbolicLink() ? undefined : Math.floor(stats.mtimeMs / 1000),
			names: stats.isDirectory() ? undefined : stats.nlink,
			content: stats.isFile() ? readFileSync(path).toString("base64") : undefined,
			target: stats.isSymbolicLink() ? fromBytes(readlinkSync(path, "buffer")) : undefined,
			children: stats.isDirectory() ? contents(path) : undefined,
		};
	}
	return found;
}

function extracted(test: TestContext, archive: Uint8Array): string {
	const root = emptyTree(test);
	gnuTar(archive, "-xp", "-C", root);
	return root;
}

/** Does something once, as soon as the packer has read from a file for the given time. */
function afterRead(test: TestContext, times: number, work: () => void): void {
	const { readSync } = fs;
	let count = 0;
	test.mock.method(fs, "readSync", (...args: Parameters<typeof readSync>) => {
		const bytes = readSync(...args);
		count += 1;
		if (count <= times) work();
		return bytes;
	});
	syncBuiltinESMExports();
	test.after(() => {
		test.mock.restoreAll();
		syncBuiltinESMExports();
	});
}

describe("the tar of a directory", () => {
	it("is extracted by GNU tar to what it was made of", {
		skip: without("tar") || noSuchNames,
	}, (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "empty"));
		mkdirSync(join(root, "d/inner"), { recursive: true });
		writeFileSync(join(root, "d/one"), "one");
		linkSync(join(root, "d/one"), join(root, "d/two"));
		chmodSync(join(root, "d/one"), 0o6711);
		chmodSync(join(root, "empty"), 0o1777);
		symlinkSync("../missing", join(root, "d/inner/link"));
		symlinkSync("x".repeat(300), join(root, "long link"));
		execFileSync("mkfifo", [join(root, "pipe")]);
		writeFileSync(join(root, "exactly a block"), "x".repeat(512));
		writeFileSync(join(root, "more than a chunk"), Buffer.alloc(MIB + 1, "abc"));
		writeFileSync(join(root, "line\nbreak"), "");
		writeFileSync(join(root, "ñ".repeat(120)), "long");
		mkdirSync(join(root, "l".repeat(200)));
		writeFileSync(join(root, "l".repeat(200), "l".repeat(200)), "longer");
		linkSync(join(root, "l".repeat(200), "l".repeat(200)), join(root, "link to longer"));
		writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xff, 0x61)]), "bytes");
		const directories = ["empty", "d/inner", "d", "l".repeat(200)];
		for (const path of directories) utimesSync(join(root, path), 1e9, 1e9);
		const copy = extracted(test, pack(root));
		assert.deepEqual(contents(Buffer.from(copy)), contents(Buffer.from(root)));
	});

	it("is the same again for the same tree", (test) => {
		const root = emptyTree(test);
		for (const name of ["b", "a", "c"]) writeFileSync(join(root, name), name);
		assert.deepEqual(pack(root), pack(root));
	});

	it("of nothing is an archive too", { skip: without("tar") }, (test) => {
		const archive = pack(emptyTree(test));
		assert.equal(archive.length, 1024);
		assert.equal(gnuTar(archive, "-t"), "");
	});

	it("holds what any tree holds, as GNU tar lists it", {
		skip: without("tar") || noSuchNames,
	}, (test) => {
		const name = fc
			.uint8Array({ minLength: 1, maxLength: 120 })
			.map((bytes) =>
				bytes.map((byte) => (byte === 0 || byte === 0x2f || byte === 0x2e ? 1 : byte)),
			);
		const files = fc.uniqueArray(
			fc.record({ directory: fc.option(name), name, size: fc.nat({ max: 150_000 }) }),
			{ selector: ({ name }) => Buffer.from(name).toString("latin1"), maxLength: 12 },
		);
		fc.assert(
			fc.property(files, (specified) => {
				const root = emptyTree(test);
				const expected: string[] = [];
				for (const file of specified) {
					const directory = Buffer.concat([
						Buffer.from(`${root}/d`),
						file.directory ?? Buffer.of(),
					]);
					mkdirSync(directory, { recursive: true });
					writeFileSync(
						Buffer.concat([directory, Buffer.from("/"), file.name]),
						Buffer.alloc(file.size, "x"),
					);
				}
				for (const { path, type, size } of walk(root).entries) {
					const slash = type === "directory" ? "/" : "";
					expected.push(`${size} ${toBytes(path).toString("latin1")}${slash}`);
				}
				const listing = gnuTar(pack(root), "-tv", "--quoting-style=escape");
				const actual = listing
					.split("\n")
					.slice(0, -1)
					.map((line) =>
						line.replace(
							/^\S+ \S+ +(\d+) \S+ \S+ (.*)$/,
							(_, size, path) => `${size} ${unescaped(path)}`,
						),
					);
				assert.deepEqual(actual, expected);
				rmSync(root, { recursive: true });
			}),
			{ numRuns: 25 },
		);
	});

	it("comes in chunks of bounded size, with its progress", (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "d"));
		for (let index = 0; index < 300; index++) {
			writeFileSync(join(root, `d/${index}`), Buffer.alloc(index * 20));
		}
		writeFileSync(join(root, "large"), Buffer.alloc(3 * MIB));
		const manifest = walk(root);
		const chunks = [...packTar(tree(root), manifest.entries)];
		assert.ok(chunks.length > 10);
		for (const { bytes } of chunks) {
			assert.ok(bytes.length <= 512 * 1024);
			assert.equal(bytes.byteOffset, 0, "a chunk has its buffer for itself");
		}
		const { files, bytes } = manifest;
		assert.deepEqual(chunks.at(-1)?.progress, { files, bytes });
	});

	it("has the files that are given in place of those on disk", { skip: without("tar") }, (test) => {
		const root = emptyTree(test);
		const content = Buffer.alloc(100_000, "FROM scratch\n");
		const entry = {
			path: "Dockerfile",
			type: "file",
			size: content.length,
			mode: 0o600,
			mtimeMs: 0,
		} as const;
		const chunks = packTar(tree(root), [entry], new Map([["Dockerfile", content]]));
		const copy = extracted(test, Buffer.concat(Array.from(chunks, ({ bytes }) => bytes)));
		assert.deepEqual(readFileSync(join(copy, "Dockerfile")), content);
		assert.equal(lstatSync(join(copy, "Dockerfile")).mode & 0o777, 0o600);
	});
});

/** Undoes GNU tar's --quoting-style=escape. */
function unescaped(text: string): string {
	const letters: Record<string, string> = {
		a: "\x07",
		b: "\b",
		f: "\f",
		n: "\n",
		r: "\r",
		t: "\t",
		v: "\v",
	};
	return text.replace(/\\(?:([0-7]{3})|(.))/g, (_, octal?: string, letter?: string) =>
		octal
			? String.fromCharCode(Number.parseInt(octal, 8))
			: (letters[letter ?? ""] ?? letter ?? ""),
	);
}

describe("a tar of files in memory", () => {
	it("holds them", { skip: without("tar") }, (test) => {
		const files = [
			{ path: "Dockerfile", content: Buffer.from("FROM scratch\n") },
			{ path: "empty", content: Buffer.of(), mode: 0o755 },
		];
		const copy = extracted(test, packFiles(files));
		assert.equal(readFileSync(join(copy, "Dockerfile"), "utf8"), "FROM scratch\n");
		assert.equal(lstatSync(join(copy, "empty")).mode & 0o777, 0o755);
	});
});

describe("a small file that changes while it is read", () => {
	it("is read again until it stays the same", { skip: without("tar") }, (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "log"), "1");
		afterRead(test, 2, () => appendFileSync(join(root, "log"), "+"));
		const copy = extracted(test, pack(root));
		assert.equal(readFileSync(join(copy, "log"), "utf8"), "1++");
	});

	it("is read again if it was cut short", { skip: without("tar") }, (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "a"), "first");
		writeFileSync(join(root, "b"), "second");
		afterRead(test, 1, () => truncateSync(join(root, "b"), 3));
		const copy = extracted(test, pack(root));
		assert.equal(readFileSync(join(copy, "b"), "utf8"), "sec");
	});

	it("is named when it does not stop changing", (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "var"));
		writeFileSync(join(root, "var/log"), "1");
		afterRead(test, 100, () => appendFileSync(join(root, "var/log"), "+"));
		assert.throws(() => pack(root), {
			name: "ContextError",
			message: "var/log changed while it was being read",
			hint: "stop what is writing to it, or list it in .dockerignore",
		});
	});
});

describe("a large file that changes while it is read", () => {
	const changes: Record<string, (file: string) => void> = {
		grows: (file) => appendFileSync(file, "more"),
		shrinks: (file) => truncateSync(file, 2 * MIB),
		"is emptied": (file) => truncateSync(file, 0),
		"is written to": (file) => utimesSync(file, 1, 1),
	};
	for (const [change, apply] of Object.entries(changes)) {
		it(`ends the tar when it ${change}`, (test) => {
			const root = emptyTree(test);
			writeFileSync(join(root, "data"), Buffer.alloc(4 * MIB));
			const chunks = packTar(tree(root), walk(root).entries);
			chunks.next();
			apply(join(root, "data"));
			assert.throws(() => [...chunks], {
				name: "ContextError",
				message: "data changed while it was being read",
			});
		});
	}
});

describe("what is not as the walk found it", () => {
	const packAfter = (root: string, change: () => void): TarChunk[] => {
		const { entries } = walk(root);
		change();
		return [...packTar(tree(root), entries)];
	};

	it("is sent as it is now, if it is still a file", { skip: without("tar") }, (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "file"), "before");
		const chunks = packAfter(root, () => writeFileSync(join(root, "file"), "and after"));
		const copy = extracted(test, Buffer.concat(chunks.map(({ bytes }) => bytes)));
		assert.equal(readFileSync(join(copy, "file"), "utf8"), "and after");
	});

	it("is named if it vanished", (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "file"), "");
		assert.throws(() => packAfter(root, () => rmSync(join(root, "file"))), {
			name: "ContextError",
			message: "file vanished while it was being read",
		});
	});

	it("is named if something else took its place, which is not followed or waited for", {
		skip: posixOnly,
	}, (test) => {
		const root = emptyTree(test);
		const file = join(root, "file");
		for (const [program, ...args] of [
			["ln", "-s", "/etc/passwd", file],
			["mkfifo", file],
			["mkdir", file],
		]) {
			rmSync(file, { recursive: true, force: true });
			writeFileSync(file, "");
			const replace = () => {
				rmSync(file);
				execFileSync(program as string, args);
			};
			assert.throws(() => packAfter(root, replace), {
				name: "ContextError",
				message: "file changed while it was being read",
			});
		}
	});

	it("is named if it cannot be read", { skip: noPermissions }, (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, "key.pem"), "secret", { mode: 0o000 });
		asNobody(root, () => {
			assert.throws(() => pack(root), {
				name: "ContextError",
				message: "cannot read key.pem in the build context: permission denied",
			});
		});
	});
});
