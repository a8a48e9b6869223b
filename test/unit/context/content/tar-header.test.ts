import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { tarHeader } from "../../../../src/context/content/tar-header.js";
import type { ContextEntry, EntryType } from "../../../../src/context/tree/manifest.js";
import { fromBytes, toBytes } from "../../../../src/context/tree/path-bytes.js";
import { without } from "../../../support/this-system.js";
import { gnuTar } from "../trees.js";

function archiveOf(entry: ContextEntry): Buffer {
	const header = tarHeader(entry);
	const archive = Buffer.alloc(header.length + 1024, 0xaa).fill(0, header.length);
	header.write(archive, 0);
	return archive;
}

/** One line of GNU tar's listing, its fields split at blanks. */
function listed(entry: ContextEntry): string[] {
	return gnuTar(archiveOf(entry), "-tv", "--quoting-style=literal", "--full-time", "-b", "1")
		.trimEnd()
		.split(/ +/);
}

const entry = (rest: Partial<ContextEntry>): ContextEntry => ({
	path: "name",
	type: "file",
	size: 0,
	mode: 0o644,
	mtimeMs: 1_700_000_000_999,
	...rest,
});

describe("a tar header", { skip: without("tar") }, () => {
	it("has the mode with setuid, setgid and sticky, the owner 0:0 and whole seconds", () => {
		assert.deepEqual(listed(entry({ mode: 0o7755 })), [
			"-rwsr-sr-t",
			"0/0",
			"0",
			"2023-11-14",
			"22:13:20",
			"name",
		]);
	});

	it("keeps times before 1970", () => {
		assert.deepEqual(listed(entry({ mtimeMs: -500 })).slice(3, 5), ["1969-12-31", "23:59:59"]);
	});

	it("tells the types apart", () => {
		const first = (type: EntryType, rest: Partial<ContextEntry> = {}) =>
			listed(entry({ type, ...rest }))[0]?.[0];
		assert.equal(first("directory"), "d");
		assert.equal(first("symlink", { linkname: "x" }), "l");
		assert.equal(first("fifo"), "p");
		assert.equal(first("file", { hardlink: "x" }), "h");
	});

	it("has the numbers of devices", () => {
		const device = { major: 259, minor: 70000 };
		const [mode, , numbers] = listed(entry({ type: "char-device", device }));
		assert.deepEqual([mode?.[0], numbers], ["c", "259,70000"]);
		assert.equal(listed(entry({ type: "block-device", device }))[0]?.[0], "b");
	});

	it("says where a link leads, and that a hard link has no content of its own", () => {
		assert.deepEqual(listed(entry({ type: "symlink", linkname: "../to" })).slice(-3), [
			"name",
			"->",
			"../to",
		]);
		const hardlink = listed(entry({ size: 5, hardlink: "first" }));
		assert.deepEqual([hardlink[2], ...hardlink.slice(-4)], ["0", "name", "link", "to", "first"]);
	});

	it("holds sizes from 8 GiB on", () => {
		for (const size of [8 * 2 ** 30 - 1, 8 * 2 ** 30, 2 ** 45 + 1]) {
			const block = archiveOf(entry({ size })).subarray(0, 512);
			const list = ["-tv", "--occurrence=1", "name"];
			// GNU tar misses the content, and lists the header before it says so.
			assert.throws(
				() => gnuTar(block, ...list),
				(error: { stdout: string }) => error.stdout.split(/ +/)[2] === String(size),
			);
		}
	});

	it("holds names and targets of any length and any bytes", () => {
		const name = fc
			.uint8Array({ minLength: 1, maxLength: 300 })
			.map((bytes) => fromBytes(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x20 : byte))));
		fc.assert(
			fc.property(name, name, (path, linkname) => {
				const archive = archiveOf(entry({ path, type: "symlink", linkname }));
				const line = gnuTar(archive, "-tv", "--quoting-style=literal", "--full-time");
				const latin1 = [path, linkname].map((name) => toBytes(name).toString("latin1"));
				assert.ok(line.endsWith(` 2023-11-14 22:13:20 ${latin1.join(" -> ")}\n`), line);
			}),
			{ numRuns: 40 },
		);
	});

	it("keeps names of exactly 100 and 101 bytes", () => {
		for (const length of [99, 100, 101]) {
			const path = "n".repeat(length);
			assert.equal(listed(entry({ path })).at(-1), path);
		}
	});
});
